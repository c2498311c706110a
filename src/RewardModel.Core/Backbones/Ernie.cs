using RewardModel.Checkpoints;
using RewardModel.Layers;
using RewardModel.Packing;
using static TorchSharp.torch;

namespace RewardModel.Backbones;

// ERNIE 2.0 and 3.0 (Sun et al., arXiv 1907.12412 and 2107.02137): BERT with a further embedding for the task that a text belongs to.
// Nobody says the task of an answer, so every token has that of row 0, as in transformers. Differences from Llama are those of BERT.
//
// T tokens, D width, N rewards.

internal sealed record ErnieConfig : IBackboneConfig
{
    public required BertConfig Bert { get; init; }

    /// <summary>Rows of the table of tasks; 0 where there is none.</summary>
    public required int TaskTypeCount { get; init; }

    public int LayerCount => Bert.LayerCount;

    public long EmbeddingSize => Bert.EmbeddingSize;

    public LayerShape LayerShape => Bert.LayerShape;

    public static ErnieConfig Read(ConfigReader reader)
    {
        var taskTypeCount = reader.Size("task_type_vocab_size", 3, ConfigLimits.TokenTypes);
        var config = new ErnieConfig
        {
            TaskTypeCount = reader.Bool("use_task_id", false) ? taskTypeCount : 0,
            Bert = BertConfig.ReadSettings(reader),
        };
        reader.Finish();
        return config;
    }
}

internal sealed class ErnieEmbeddings : nn.Module
{
    private readonly Embedding word_embeddings;
    private readonly Embedding position_embeddings;
    private readonly Embedding token_type_embeddings;
    private readonly Embedding? task_type_embeddings;
    private readonly LayerNorm LayerNorm;
    private readonly double dropout;

    public ErnieEmbeddings(ErnieConfig config, double dropout) : base(nameof(ErnieEmbeddings))
    {
        this.dropout = dropout;
        word_embeddings = new Embedding(config.Bert.VocabularySize, config.Bert.Width);
        position_embeddings = new Embedding(config.Bert.Positions, config.Bert.Width);
        token_type_embeddings = new Embedding(config.Bert.TokenTypeCount, config.Bert.Width);
        if (config.TaskTypeCount > 0)
            task_type_embeddings = new Embedding(config.TaskTypeCount, config.Bert.Width);
        LayerNorm = new LayerNorm(config.Bert.Width, config.Bert.NormEpsilon);
        RegisterComponents();
    }

    public Tensor forward(PackedSequences sequences)
    {
        var x_TD = word_embeddings.call(sequences.TokenIds).add(token_type_embeddings.call(sequences.TokenTypeIds))
            .add(position_embeddings.call(sequences.PositionIds));
        if (task_type_embeddings is not null)
            x_TD = x_TD.add(task_type_embeddings.call(zeros_like(sequences.TokenIds)));
        return Dropout.Apply(LayerNorm.call(x_TD), dropout, training);
    }
}

/// <summary>ERNIE, as <c>ErnieForSequenceClassification</c> has it under its pooler.</summary>
internal sealed class Ernie : Backbone
{
    private readonly ErnieEmbeddings embeddings;
    private readonly BertEncoder encoder;
    private readonly ErnieConfig config;
    private readonly double dropout;

    public Ernie(ErnieConfig config, double dropout) : base("ERNIE")
    {
        this.config = config;
        this.dropout = dropout;
        embeddings = new ErnieEmbeddings(config, dropout);
        encoder = new BertEncoder(config.Bert, dropout);
        RegisterComponents();
    }

    public override int HiddenSize => config.Bert.Width;

    internal override IReadOnlyList<nn.Module> Layers => encoder.Layers;

    internal override LayerShape LayerShape => config.Bert.LayerShape;

    public override int VocabularySize => config.Bert.VocabularySize;

    public override bool IsCausal => false;

    public override int MaxPositions => config.Bert.Positions;

    public override string BaseModelPrefix => "ernie";

    public override string SequenceClassificationClass => "ErnieForSequenceClassification";

    public override double InitializerRange => config.Bert.InitializerRange;

    private protected override Tensor HiddenStates(ForwardPass pass, QueryRows lastRows)
    {
        CheckTokenTypes(pass.Sequences, config.Bert.TokenTypeCount);
        return encoder.forward(embeddings.forward(pass.Sequences), pass, lastRows);
    }

    public override void InitializeWeights() => Initialization.Apply(this, config.Bert.InitializerRange);

    internal override RewardHead CreateHead(int outputs) => new ErnieHead(config.Bert.Width, outputs, dropout);

    // Row numbers, which old versions of transformers saved as a buffer.
    internal override bool Ignores(string parameterName) => parameterName == "embeddings.position_ids";
}

/// <summary>tanh of a linear layer on the first token, and a linear layer.</summary>
internal sealed class ErnieHead : RewardHead
{
    private readonly ErniePoolerOwner ernie;
    private readonly Linear classifier;
    private readonly double dropout;

    public ErnieHead(int width, int outputs, double dropout) : base(nameof(ErnieHead))
    {
        this.dropout = dropout;
        ernie = new ErniePoolerOwner(width);
        classifier = new Linear(width, outputs, hasBias: true);
        RegisterComponents();
    }

    public override string OutputWeight => "classifier.weight";

    public override Tensor Outputs(Tensor first_ND)
    {
        var pooled_ND = ernie.pooler.dense.call(first_ND.to(float32)).tanh();
        return classifier.call(Dropout.Apply(pooled_ND, dropout, training));
    }

    // In checkpoints the pooler's names begin like the base model's: ernie.pooler.dense.
    private sealed class ErniePoolerOwner : nn.Module
    {
        public readonly Pooler pooler;

        public ErniePoolerOwner(int width) : base(nameof(ErniePoolerOwner))
        {
            pooler = new Pooler(width);
            RegisterComponents();
        }
    }
}
