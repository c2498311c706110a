using RewardModel.Checkpoints;
using RewardModel.Layers;
using RewardModel.Packing;
using static TorchSharp.torch;

namespace RewardModel.Backbones;

// ELECTRA (Clark et al., arXiv 2003.10555): BERT whose embeddings may be narrower than its layers, with a linear layer between them, and
// whose head has GELU in the place of tanh and no pooler. Differences from Llama are those of BERT.
//
// T tokens, D width, E width of the embeddings, N rewards.

internal sealed record ElectraConfig : IBackboneConfig
{
    public required BertConfig Bert { get; init; }

    public required int EmbeddingWidth { get; init; }

    public int LayerCount => Bert.LayerCount;

    public long EmbeddingSize => ((long)Bert.VocabularySize + Bert.Positions) * EmbeddingWidth;

    public LayerShape LayerShape => Bert.LayerShape;

    public static ElectraConfig Read(ConfigReader reader)
    {
        var config = new ElectraConfig
        {
            EmbeddingWidth = reader.Size("embedding_size", 128),
            Bert = BertConfig.ReadSettings(reader),
        };
        // Of the head for multiple choice; that of sequence classification reads none of them.
        reader.Ignore("summary_type", "summary_use_proj", "summary_activation", "summary_last_dropout");
        reader.Finish();
        return config;
    }
}

internal sealed class ElectraEmbeddings : nn.Module
{
    private readonly Embedding word_embeddings;
    private readonly Embedding position_embeddings;
    private readonly Embedding token_type_embeddings;
    private readonly LayerNorm LayerNorm;
    private readonly double dropout;

    public ElectraEmbeddings(ElectraConfig config, double dropout) : base(nameof(ElectraEmbeddings))
    {
        this.dropout = dropout;
        word_embeddings = new Embedding(config.Bert.VocabularySize, config.EmbeddingWidth);
        position_embeddings = new Embedding(config.Bert.Positions, config.EmbeddingWidth);
        token_type_embeddings = new Embedding(config.Bert.TokenTypeCount, config.EmbeddingWidth);
        LayerNorm = new LayerNorm(config.EmbeddingWidth, config.Bert.NormEpsilon);
        RegisterComponents();
    }

    public Tensor forward(PackedSequences sequences)
    {
        var x_TE = word_embeddings.call(sequences.TokenIds).add(token_type_embeddings.call(sequences.TokenTypeIds))
            .add(position_embeddings.call(sequences.PositionIds));
        return Dropout.Apply(LayerNorm.call(x_TE), dropout, training);
    }
}

/// <summary>ELECTRA's discriminator, as <c>ElectraForSequenceClassification</c> has it under its head.</summary>
internal sealed class Electra : Backbone
{
    private readonly ElectraEmbeddings embeddings;
    private readonly Linear? embeddings_project;
    private readonly BertEncoder encoder;
    private readonly ElectraConfig config;
    private readonly double dropout;

    public Electra(ElectraConfig config, double dropout) : base("ELECTRA")
    {
        this.config = config;
        this.dropout = dropout;
        embeddings = new ElectraEmbeddings(config, dropout);
        if (config.EmbeddingWidth != config.Bert.Width)
            embeddings_project = new Linear(config.EmbeddingWidth, config.Bert.Width, hasBias: true);
        encoder = new BertEncoder(config.Bert, dropout);
        RegisterComponents();
    }

    public override int HiddenSize => config.Bert.Width;

    internal override IReadOnlyList<nn.Module> Layers => encoder.Layers;

    internal override LayerShape LayerShape => config.LayerShape;

    public override int VocabularySize => config.Bert.VocabularySize;

    public override bool IsCausal => false;

    public override int MaxPositions => config.Bert.Positions;

    public override string BaseModelPrefix => "electra";

    public override string SequenceClassificationClass => "ElectraForSequenceClassification";

    public override double InitializerRange => config.Bert.InitializerRange;

    private protected override Tensor HiddenStates(ForwardPass pass, QueryRows lastRows)
    {
        CheckTokenTypes(pass.Sequences, config.Bert.TokenTypeCount);
        var x = embeddings.forward(pass.Sequences);
        return encoder.forward(embeddings_project?.call(x) ?? x, pass, lastRows);
    }

    public override void InitializeWeights() => Initialization.Apply(this, config.Bert.InitializerRange);

    internal override RewardHead CreateHead(int outputs) => new ElectraHead(config.Bert.Width, outputs, dropout);

    // Row numbers, which old versions of transformers saved as a buffer, and the heads of ELECTRA's own training, which tell tokens that
    // were replaced, and replace them.
    internal override bool Ignores(string parameterName) =>
        parameterName == "embeddings.position_ids"
        || parameterName.StartsWith("discriminator_predictions.", StringComparison.Ordinal)
        || parameterName.StartsWith("generator_predictions.", StringComparison.Ordinal)
        || parameterName.StartsWith("generator_lm_head.", StringComparison.Ordinal);
}

/// <summary>Two linear layers on the first token, GELU between them, whatever the layers' function is.</summary>
internal sealed class ElectraHead : RewardHead
{
    private readonly ElectraClassifier classifier;

    public ElectraHead(int width, int outputs, double dropout) : base(nameof(ElectraHead))
    {
        classifier = new ElectraClassifier(width, outputs, dropout);
        RegisterComponents();
    }

    public override string OutputWeight => "classifier.out_proj.weight";

    public override Tensor Outputs(Tensor first_ND) => classifier.call(first_ND.to(float32));

    private sealed class ElectraClassifier : nn.Module<Tensor, Tensor>
    {
        private readonly Linear dense;
        private readonly Linear out_proj;
        private readonly double dropout;

        public ElectraClassifier(int width, int outputs, double dropout) : base(nameof(ElectraClassifier))
        {
            this.dropout = dropout;
            dense = new Linear(width, width, hasBias: true);
            out_proj = new Linear(width, outputs, hasBias: true);
            RegisterComponents();
        }

        public override Tensor forward(Tensor first_ND)
        {
            var x_ND = dense.call(Dropout.Apply(first_ND, dropout, training)).gelu();
            return out_proj.call(Dropout.Apply(x_ND, dropout, training));
        }
    }
}
