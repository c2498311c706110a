using RewardModel.Checkpoints;
using RewardModel.Layers;
using RewardModel.Packing;
using static TorchSharp.torch;
using BertBlocks = TorchSharp.Modules.ModuleList<RewardModel.Backbones.BertBlock>;

namespace RewardModel.Backbones;

// BERT (Devlin et al., arXiv 1810.04805). Differences from Llama: attention in both directions, learned positions and token types,
// layer norms with bias after each addition, a plain MLP with GELU, and a reward that is read at the first token.
//
// T tokens, D width, N heads or, in the head, rewards, H size of a head.

internal sealed record BertConfig : IBackboneConfig
{
    public required int VocabularySize { get; init; }

    /// <summary>Rows of the position table.</summary>
    public required int Positions { get; init; }

    public required int TokenTypeCount { get; init; }

    public required int Width { get; init; }

    public required int InnerWidth { get; init; }

    public required int LayerCount { get; init; }

    public required int HeadCount { get; init; }

    public required string Activation { get; init; }

    public required double NormEpsilon { get; init; }

    public required double InitializerRange { get; init; }

    public long EmbeddingSize => (long)VocabularySize * Width + (long)Positions * Width;

    public LayerShape LayerShape => new(
        Width, new AttentionShape(HeadCount, HeadCount, Width / HeadCount), new MlpShape(InnerWidth, Activation));

    public static BertConfig Read(ConfigReader reader)
    {
        var config = ReadSettings(reader);
        reader.Finish();
        return config;
    }

    /// <summary>The same for an architecture that has more settings, and finishes the reading.</summary>
    public static BertConfig ReadSettings(ConfigReader reader)
    {
        var width = reader.Size("hidden_size");
        var config = new BertConfig
        {
            VocabularySize = CommonSettings.VocabularySize(reader),
            Positions = CommonSettings.Positions(reader, 512),
            TokenTypeCount = reader.Size("type_vocab_size", 2, ConfigLimits.TokenTypes),
            Width = width,
            InnerWidth = CommonSettings.InnerWidth(reader),
            LayerCount = CommonSettings.LayerCount(reader),
            HeadCount = reader.Size("num_attention_heads"),
            Activation = reader.OneOf("hidden_act", ActivationFunction.Names, "gelu"),
            NormEpsilon = CommonSettings.NormEpsilon(reader, "layer_norm_eps", 1e-12),
            InitializerRange = CommonSettings.InitializerRange(reader),
        };
        reader.OneOf("position_embedding_type", ["absolute"], "absolute");
        reader.Ignore("hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout");
        // Written by the first conversions from TensorFlow; transformers reads none of them.
        reader.Ignore(
            "directionality", "pooler_fc_size", "pooler_num_attention_heads", "pooler_num_fc_layers", "pooler_size_per_head",
            "pooler_type");
        CommonSettings.CheckWidth(reader, width, config.HeadCount);
        return config;
    }
}

internal sealed class BertEmbeddings : nn.Module
{
    private readonly Embedding word_embeddings;
    private readonly Embedding position_embeddings;
    private readonly Embedding token_type_embeddings;
    private readonly LayerNorm LayerNorm;
    private readonly double dropout;

    public BertEmbeddings(BertConfig config, double dropout) : base(nameof(BertEmbeddings))
    {
        this.dropout = dropout;
        word_embeddings = new Embedding(config.VocabularySize, config.Width);
        position_embeddings = new Embedding(config.Positions, config.Width);
        token_type_embeddings = new Embedding(config.TokenTypeCount, config.Width);
        LayerNorm = new LayerNorm(config.Width, config.NormEpsilon);
        RegisterComponents();
    }

    public Tensor forward(PackedSequences sequences, Tensor positions_T)
    {
        var x_TD = word_embeddings.call(sequences.TokenIds).add(token_type_embeddings.call(sequences.TokenTypeIds))
            .add(position_embeddings.call(positions_T));
        return Dropout.Apply(LayerNorm.call(x_TD), dropout, training);
    }
}

internal sealed class BertSelfAttention : nn.Module
{
    private readonly Linear query;
    private readonly Linear key;
    private readonly Linear value;
    private readonly BertConfig config;
    private readonly double dropout;

    public BertSelfAttention(BertConfig config, double dropout) : base(nameof(BertSelfAttention))
    {
        this.config = config;
        this.dropout = dropout;
        query = new Linear(config.Width, config.Width, hasBias: true);
        key = new Linear(config.Width, config.Width, hasBias: true);
        value = new Linear(config.Width, config.Width, hasBias: true);
        RegisterComponents();
    }

    public Tensor forward(Tensor x_TD, PackedSequences sequences)
    {
        var headSize = config.Width / config.HeadCount;
        var q_TNH = query.call(x_TD).view(-1, config.HeadCount, headSize);
        var k_TNH = key.call(x_TD).view(-1, config.HeadCount, headSize);
        var v_TNH = value.call(x_TD).view(-1, config.HeadCount, headSize);
        var options = new AttentionOptions(1 / Math.Sqrt(headSize))
        {
            Reach = AttentionReach.Full,
            Dropout = training ? dropout : 0,
            Precision = query.Precision,
        };
        return Attention.Apply(q_TNH, k_TNH, v_TNH, sequences.AllRows, options);
    }
}

internal sealed class BertAttention : nn.Module
{
    private readonly BertSelfAttention self;
    private readonly PostNormOutput output;

    public BertAttention(BertConfig config, double dropout) : base(nameof(BertAttention))
    {
        self = new BertSelfAttention(config, dropout);
        output = new PostNormOutput(config.Width, config.Width, config.NormEpsilon, dropout);
        RegisterComponents();
    }

    public Tensor forward(Tensor x_TD, PackedSequences sequences) => output.forward(self.forward(x_TD, sequences), x_TD);
}

internal sealed class BertBlock : nn.Module
{
    private readonly BertAttention attention;
    private readonly Intermediate intermediate;
    private readonly PostNormOutput output;

    public BertBlock(BertConfig config, double dropout) : base(nameof(BertBlock))
    {
        attention = new BertAttention(config, dropout);
        intermediate = new Intermediate(config.Width, config.InnerWidth);
        output = new PostNormOutput(config.InnerWidth, config.Width, config.NormEpsilon, dropout, config.Activation);
        RegisterComponents();
    }

    public Tensor forward(Tensor x_TD, PackedSequences sequences)
    {
        using var scope = NewDisposeScope();
        x_TD = attention.forward(x_TD, sequences);
        x_TD = output.forward(intermediate.call(x_TD), x_TD);
        return x_TD.MoveToOuterDisposeScope();
    }
}

internal sealed class BertEncoder : nn.Module
{
    private readonly BertBlocks layer;

    public BertEncoder(BertConfig config, double dropout) : base(nameof(BertEncoder))
    {
        layer = nn.ModuleList([.. Enumerable.Range(0, config.LayerCount).Select(_ => new BertBlock(config, dropout))]);
        RegisterComponents();
    }

    public IReadOnlyList<nn.Module> Layers => [.. layer];

    public Tensor forward(Tensor x_TD, ForwardPass pass, QueryRows lastRows) =>
        pass.Through(layer, x_TD, lastRows, (block, x_TD, _) => block.forward(x_TD, pass.Sequences));
}

/// <summary>BERT, as <c>BertForSequenceClassification</c> has it under its pooler.</summary>
internal sealed class Bert : Backbone
{
    private readonly BertEmbeddings embeddings;
    private readonly BertEncoder encoder;
    private readonly BertConfig config;
    private readonly double dropout;

    public Bert(BertConfig config, double dropout) : base("BERT")
    {
        this.config = config;
        this.dropout = dropout;
        embeddings = new BertEmbeddings(config, dropout);
        encoder = new BertEncoder(config, dropout);
        RegisterComponents();
    }

    public override int HiddenSize => config.Width;

    internal override IReadOnlyList<nn.Module> Layers => encoder.Layers;

    internal override LayerShape LayerShape => config.LayerShape;

    public override int VocabularySize => config.VocabularySize;

    public override bool IsCausal => false;

    public override int MaxPositions => config.Positions;

    public override string BaseModelPrefix => "bert";

    public override string SequenceClassificationClass => "BertForSequenceClassification";

    public override double InitializerRange => config.InitializerRange;

    private protected override Tensor HiddenStates(ForwardPass pass, QueryRows lastRows)
    {
        CheckTokenTypes(pass.Sequences, config.TokenTypeCount);
        return encoder.forward(embeddings.forward(pass.Sequences, pass.Sequences.PositionIds), pass, lastRows);
    }

    public override void InitializeWeights() => Initialization.Apply(this, config.InitializerRange);

    internal override RewardHead CreateHead(int outputs) => new BertHead(config.Width, outputs, dropout);

    // Row numbers, which old versions of transformers saved as a buffer.
    internal override bool Ignores(string parameterName) => parameterName == "embeddings.position_ids";
}

/// <summary>tanh of a linear layer on the first token, and a linear layer.</summary>
internal sealed class BertHead : RewardHead
{
    private readonly BertPoolerOwner bert;
    private readonly Linear classifier;
    private readonly double dropout;

    public BertHead(int width, int outputs, double dropout) : base(nameof(BertHead))
    {
        this.dropout = dropout;
        bert = new BertPoolerOwner(width);
        classifier = new Linear(width, outputs, hasBias: true);
        RegisterComponents();
    }

    public override string OutputWeight => "classifier.weight";

    public override Tensor Outputs(Tensor first_ND)
    {
        var pooled_ND = bert.pooler.dense.call(first_ND.to(float32)).tanh();
        return classifier.call(Dropout.Apply(pooled_ND, dropout, training));
    }

    // In checkpoints the pooler's names begin like the base model's: bert.pooler.dense.
    private sealed class BertPoolerOwner : nn.Module
    {
        public readonly Pooler pooler;

        public BertPoolerOwner(int width) : base(nameof(BertPoolerOwner))
        {
            pooler = new Pooler(width);
            RegisterComponents();
        }
    }
}
