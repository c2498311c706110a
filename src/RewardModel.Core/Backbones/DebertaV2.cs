using RewardModel.Checkpoints;
using RewardModel.Files;
using RewardModel.Layers;
using RewardModel.Packing;
using static TorchSharp.torch;
using DebertaV2Blocks = TorchSharp.Modules.ModuleList<RewardModel.Backbones.DebertaV2Block>;

namespace RewardModel.Backbones;

// DeBERTa (He et al., arXiv 2006.03654) in its versions 2 and 3 (arXiv 2111.09543). Differences from Llama: those of BERT; and attention
// scores also compare contents with distances, for which all layers share one table of vectors (disentangled attention). Version 2 adds a
// convolution over neighbouring tokens to the first layer.
//
// T tokens, D width, N heads, H size of a head, S rows of the distance table; B, A as in AttentionOptions.Bias.

internal sealed record DebertaV2Config : IBackboneConfig
{
    public required int VocabularySize { get; init; }

    public required int Positions { get; init; }

    public required int TokenTypeCount { get; init; }

    public required int Width { get; init; }

    public required int EmbeddingWidth { get; init; }

    public required int InnerWidth { get; init; }

    public required int LayerCount { get; init; }

    public required int HeadCount { get; init; }

    public required string Activation { get; init; }

    public required string PoolerActivation { get; init; }

    public required double NormEpsilon { get; init; }

    public required double InitializerRange { get; init; }

    public required bool HasPositionTable { get; init; }

    public required bool ComparesContentToPosition { get; init; }

    public required bool ComparesPositionToContent { get; init; }

    public required bool SharesProjections { get; init; }

    public int ComparisonCount => (ComparesContentToPosition ? 1 : 0) + (ComparesPositionToContent ? 1 : 0);

    /// <summary>Whether distances are projected by matrices of their own, and not by those of keys and queries.</summary>
    public bool HasOwnProjections => Distances is not null && !SharesProjections;

    public required bool NormsDistances { get; init; }

    /// <summary>Null where attention knows no distances.</summary>
    public required DistanceBuckets? Distances { get; init; }

    /// <summary>Tokens that the convolution sees, an odd number, or 0 for no convolution.</summary>
    public required int KernelSize { get; init; }

    public required string ConvolutionActivation { get; init; }

    public long EmbeddingSize => (long)VocabularySize * EmbeddingWidth + (HasPositionTable ? (long)Positions * Width : 0);

    public LayerShape LayerShape => new(
        Width,
        new AttentionShape(HeadCount, HeadCount, Width / HeadCount)
        {
            DistanceComparisons = Distances is null ? 0 : ComparisonCount,
            DistanceMatrices = HasOwnProjections ? ComparisonCount : 0,
        },
        new MlpShape(InnerWidth, Activation));

    public static DebertaV2Config Read(ConfigReader reader)
    {
        var (width, positions) = (reader.Size("hidden_size"), reader.Size("max_position_embeddings", 512, ConfigLimits.Distances));
        var comparisons = reader.OptionalStrings("pos_att_type", separator: '|') ?? [];
        var config = new DebertaV2Config
        {
            VocabularySize = CommonSettings.VocabularySize(reader),
            Positions = positions,
            TokenTypeCount = reader.Int("type_vocab_size", 0, 0, ConfigLimits.TokenTypes),
            Width = width,
            EmbeddingWidth = reader.Size("embedding_size", width),
            InnerWidth = CommonSettings.InnerWidth(reader),
            LayerCount = CommonSettings.LayerCount(reader),
            HeadCount = reader.Size("num_attention_heads"),
            Activation = reader.OneOf("hidden_act", ActivationFunction.Names, "gelu"),
            PoolerActivation = reader.OneOf("pooler_hidden_act", ActivationFunction.Names, "gelu"),
            NormEpsilon = CommonSettings.NormEpsilon(reader, "layer_norm_eps", 1e-7),
            InitializerRange = CommonSettings.InitializerRange(reader),
            HasPositionTable = reader.Bool("position_biased_input", true),
            ComparesContentToPosition = comparisons.Contains("c2p"),
            ComparesPositionToContent = comparisons.Contains("p2c"),
            SharesProjections = reader.Bool("share_att_key", false),
            NormsDistances = reader.OneOf("norm_rel_ebd", ["none", "layer_norm"], "none") == "layer_norm",
            Distances = DistanceBuckets.Read(reader, positions),
            KernelSize = reader.Int("conv_kernel_size", 0, 0, ConfigLimits.KernelSize),
            ConvolutionActivation = reader.OneOf("conv_act", ActivationFunction.Names, "tanh"),
        };
        reader.MustBe("conv_groups", supported: 1);
        reader.Ignore("hidden_dropout_prob", "attention_probs_dropout_prob", "pooler_dropout", "cls_dropout");
        // Which vocabulary head the language model has.
        reader.Ignore("legacy");
        if (comparisons.Except(["c2p", "p2c"]).ToArray() is [_, ..] others)
            reader.Problem($"pos_att_type names {Quoted.Text(string.Join(", ", others))}; expected c2p and p2c only");
        if (config.KernelSize > 0 && config.KernelSize % 2 == 0)
            reader.Problem($"conv_kernel_size is {config.KernelSize}; expected an odd number, or 0 for no convolution");
        if (reader.Int("pooler_hidden_size", width) is var poolerWidth && poolerWidth != width)
            reader.Problem($"pooler_hidden_size is {poolerWidth}; expected it to be hidden_size, {width}");
        CommonSettings.CheckWidth(reader, width, config.HeadCount);
        if (reader.OptionalInt("attention_head_size") is { } headSize && (long)headSize * config.HeadCount != width)
            reader.Problem($"attention_head_size is {headSize}; expected hidden_size / num_attention_heads");
        reader.Finish();
        return config;
    }
}

internal sealed class DebertaV2Embeddings : nn.Module
{
    private readonly Embedding word_embeddings;
    private readonly Embedding? position_embeddings;
    private readonly Embedding? token_type_embeddings;
    private readonly Linear? embed_proj;
    private readonly LayerNorm LayerNorm;
    private readonly double dropout;

    public DebertaV2Embeddings(DebertaV2Config config, double dropout) : base(nameof(DebertaV2Embeddings))
    {
        this.dropout = dropout;
        word_embeddings = new Embedding(config.VocabularySize, config.EmbeddingWidth);
        if (config.HasPositionTable)
            position_embeddings = new Embedding(config.Positions, config.EmbeddingWidth);
        if (config.TokenTypeCount > 0)
            token_type_embeddings = new Embedding(config.TokenTypeCount, config.EmbeddingWidth);
        if (config.EmbeddingWidth != config.Width)
            embed_proj = new Linear(config.EmbeddingWidth, config.Width, hasBias: false);
        LayerNorm = new LayerNorm(config.Width, config.NormEpsilon);
        RegisterComponents();
    }

    public Tensor forward(PackedSequences sequences)
    {
        var x_TD = word_embeddings.call(sequences.TokenIds);
        if (position_embeddings is not null)
            x_TD = x_TD.add(position_embeddings.call(sequences.PositionIds));
        if (token_type_embeddings is not null)
            x_TD = x_TD.add(token_type_embeddings.call(sequences.TokenTypeIds));
        return Dropout.Apply(LayerNorm.call(embed_proj?.call(x_TD) ?? x_TD), dropout, training);
    }
}

internal sealed class DebertaV2SelfAttention : nn.Module
{
    private readonly Linear query_proj;
    private readonly Linear key_proj;
    private readonly Linear value_proj;
    private readonly Linear? pos_key_proj;
    private readonly Linear? pos_query_proj;
    private readonly DebertaV2Config config;
    private readonly double dropout;
    private readonly int headSize;
    private readonly double scale;

    public DebertaV2SelfAttention(DebertaV2Config config, double dropout) : base(nameof(DebertaV2SelfAttention))
    {
        this.config = config;
        this.dropout = dropout;
        headSize = config.Width / config.HeadCount;
        scale = 1 / Math.Sqrt(headSize * (1 + config.ComparisonCount));
        query_proj = new Linear(config.Width, config.Width, hasBias: true);
        key_proj = new Linear(config.Width, config.Width, hasBias: true);
        value_proj = new Linear(config.Width, config.Width, hasBias: true);
        if (config.HasOwnProjections && config.ComparesContentToPosition)
            pos_key_proj = new Linear(config.Width, config.Width, hasBias: true);
        if (config.HasOwnProjections && config.ComparesPositionToContent)
            pos_query_proj = new Linear(config.Width, config.Width, hasBias: true);
        RegisterComponents();
    }

    public Tensor forward(Tensor x_TD, PackedSequences sequences, Tensor? distances_SD)
    {
        var q_TNH = query_proj.call(x_TD).view(-1, config.HeadCount, headSize);
        var k_TNH = key_proj.call(x_TD).view(-1, config.HeadCount, headSize);
        var v_TNH = value_proj.call(x_TD).view(-1, config.HeadCount, headSize);
        var options = new AttentionOptions(scale)
        {
            Reach = AttentionReach.Full,
            Dropout = training ? dropout : 0,
            Precision = query_proj.Precision,
            Bias = distances_SD is null
                ? null
                : Dropout.OfTable(() => Bias(Dropout.Apply(distances_SD, dropout, training))),
        };
        return Attention.Apply(q_TNH, k_TNH, v_TNH, sequences.AllRows, options);
    }

    // Equation 4 of the paper: a query's content with the key's distance from it, and a key's content with its distance from the query.
    // Both count the distance as query minus key, in version 2.
    private Func<Tensor, Tensor, Tensor>? Bias(Tensor distances_SD)
    {
        var keys_SD = config.ComparesContentToPosition ? (pos_key_proj ?? key_proj).call(distances_SD) : null;
        var queries_SD = config.ComparesPositionToContent ? (pos_query_proj ?? query_proj).call(distances_SD).mul(scale) : null;
        if (keys_SD is null && queries_SD is null)
            return null;
        return (q_BAH, k_BAH) =>
        {
            var rows = config.Distances!.Rows(q_BAH.size(1));
            var contentToPosition = keys_SD is null ? null : Compare(q_BAH, keys_SD, [.. rows[..^1].Reverse()]);
            var positionToContent = queries_SD is null ? null : Compare(k_BAH, queries_SD, rows[1..]).transpose(1, 2);
            return contentToPosition is null ? positionToContent!
                : positionToContent is null ? contentToPosition
                : contentToPosition.add(positionToContent);
        };
    }

    /// <summary>
    /// Products of each token's vector with the vectors of its distances to all tokens: element [b, i, j] belongs to row
    /// A - 1 - i + j of the given ones.
    /// </summary>
    /// <param name="x_BAH">Queries or keys.</param>
    /// <param name="distances_SD">Their counterparts for each row of the distance table.</param>
    /// <param name="rows">2 A rows of the distance table.</param>
    private Tensor Compare(Tensor x_BAH, Tensor distances_SD, long[] rows)
    {
        var (count, length) = (x_BAH.size(0), x_BAH.size(1));
        var distances_BHX = distances_SD.index_select(0, tensor(rows, device: x_BAH.device))
            .view(2 * length, config.HeadCount, headSize).permute(1, 2, 0).repeat(count / config.HeadCount, 1, 1);
        // Row i begins A - 1 - i places into its products: read with a step of one place less, the rows begin at the same place.
        return x_BAH.bmm(distances_BHX).view(count, 2 * length * length).narrow(1, length - 1, length * (2 * length - 1))
            .view(count, length, 2 * length - 1).narrow(2, 0, length);
    }
}

internal sealed class DebertaV2Attention : nn.Module
{
    private readonly DebertaV2SelfAttention self;
    private readonly PostNormOutput output;

    public DebertaV2Attention(DebertaV2Config config, double dropout) : base(nameof(DebertaV2Attention))
    {
        self = new DebertaV2SelfAttention(config, dropout);
        output = new PostNormOutput(config.Width, config.Width, config.NormEpsilon, dropout);
        RegisterComponents();
    }

    public Tensor forward(Tensor x_TD, PackedSequences sequences, Tensor? distances_SD) =>
        output.forward(self.forward(x_TD, sequences, distances_SD), x_TD);
}

internal sealed class DebertaV2Block : nn.Module
{
    private readonly DebertaV2Attention attention;
    private readonly Intermediate intermediate;
    private readonly PostNormOutput output;

    public DebertaV2Block(DebertaV2Config config, double dropout) : base(nameof(DebertaV2Block))
    {
        attention = new DebertaV2Attention(config, dropout);
        intermediate = new Intermediate(config.Width, config.InnerWidth);
        output = new PostNormOutput(config.InnerWidth, config.Width, config.NormEpsilon, dropout, config.Activation);
        RegisterComponents();
    }

    public Tensor forward(Tensor x_TD, PackedSequences sequences, Tensor? distances_SD)
    {
        using var scope = NewDisposeScope();
        x_TD = attention.forward(x_TD, sequences, distances_SD);
        x_TD = output.forward(intermediate.call(x_TD), x_TD);
        return x_TD.MoveToOuterDisposeScope();
    }
}

internal sealed class DebertaV2Convolution : nn.Module
{
    private readonly Convolution conv;
    private readonly LayerNorm LayerNorm;
    private readonly ActivationFunction activation;
    private readonly double dropout;

    public DebertaV2Convolution(DebertaV2Config config, double dropout) : base(nameof(DebertaV2Convolution))
    {
        this.dropout = dropout;
        conv = new Convolution(config.Width, config.KernelSize);
        LayerNorm = new LayerNorm(config.Width, config.NormEpsilon);
        activation = ActivationFunction.Named(config.ConvolutionActivation);
        RegisterComponents();
    }

    public Tensor forward(Tensor embedded_TD, Tensor x_TD, PackedSequences sequences)
    {
        using var scope = NewDisposeScope();
        var convolved_TD = activation.Of(Dropout.Apply(conv.forward(embedded_TD, sequences), dropout, training));
        return LayerNorm.call(x_TD.add(convolved_TD)).MoveToOuterDisposeScope();
    }
}

internal sealed class DebertaV2Encoder : nn.Module
{
    private readonly Embedding? rel_embeddings;
    private readonly LayerNorm? LayerNorm;
    private readonly DebertaV2Blocks layer;
    private readonly DebertaV2Convolution? conv;

    public DebertaV2Encoder(DebertaV2Config config, double dropout) : base(nameof(DebertaV2Encoder))
    {
        if (config.Distances is not null)
            rel_embeddings = new Embedding(2 * config.Distances.Span, config.Width);
        if (config.NormsDistances)
            LayerNorm = new LayerNorm(config.Width, config.NormEpsilon);
        layer = nn.ModuleList([.. Enumerable.Range(0, config.LayerCount).Select(_ => new DebertaV2Block(config, dropout))]);
        if (config.KernelSize > 0)
            conv = new DebertaV2Convolution(config, dropout);
        RegisterComponents();
    }

    public IReadOnlyList<nn.Module> Layers => [.. layer];

    public Tensor forward(Tensor embedded_TD, ForwardPass pass, QueryRows lastRows)
    {
        Tensor? distances_SD = rel_embeddings?.Table;
        if (distances_SD is not null && LayerNorm is not null)
            distances_SD = LayerNorm.call(distances_SD);
        if (distances_SD is not null)
            distances_SD = pass.Shared(distances_SD);
        return pass.Through(layer.Index(), embedded_TD, lastRows, (numbered, x_TD, _) =>
        {
            // A view for each layer: gradients add up within a layer and then over layers, also where layers are computed again.
            var result_TD = numbered.Item.forward(x_TD, pass.Sequences, distances_SD?.view(distances_SD.shape));
            // The convolution of what is embedded follows the first layer only.
            return numbered.Index == 0 && conv is not null ? conv.forward(x_TD, result_TD, pass.Sequences) : result_TD;
        });
    }
}

/// <summary>DeBERTa 2 and 3, as <c>DebertaV2ForSequenceClassification</c> has it under its pooler.</summary>
internal sealed class DebertaV2 : Backbone
{
    private readonly DebertaV2Embeddings embeddings;
    private readonly DebertaV2Encoder encoder;
    private readonly DebertaV2Config config;
    private readonly double dropout;

    public DebertaV2(DebertaV2Config config, double dropout) : base("DeBERTa")
    {
        this.config = config;
        this.dropout = dropout;
        embeddings = new DebertaV2Embeddings(config, dropout);
        encoder = new DebertaV2Encoder(config, dropout);
        RegisterComponents();
    }

    public override int HiddenSize => config.Width;

    internal override IReadOnlyList<nn.Module> Layers => encoder.Layers;

    internal override LayerShape LayerShape => config.LayerShape;

    public override int VocabularySize => config.VocabularySize;

    public override bool IsCausal => false;

    public override int MaxPositions => config.Positions;

    public override string BaseModelPrefix => "deberta";

    public override string SequenceClassificationClass => "DebertaV2ForSequenceClassification";

    public override double InitializerRange => config.InitializerRange;

    private protected override Tensor HiddenStates(ForwardPass pass, QueryRows lastRows)
    {
        // Without a table of token types all are alike.
        if (config.TokenTypeCount > 0)
            CheckTokenTypes(pass.Sequences, config.TokenTypeCount);
        return encoder.forward(embeddings.forward(pass.Sequences), pass, lastRows);
    }

    public override void InitializeWeights() => Initialization.Apply(this, config.InitializerRange);

    internal override RewardHead CreateHead(int outputs) => new DebertaV2Head(config, outputs, dropout);

    // Row numbers, which old versions of transformers saved as a buffer, and positions that a model without them was trained beside.
    internal override bool Ignores(string parameterName) =>
        parameterName == "embeddings.position_ids" || parameterName.StartsWith("embeddings.position_embeddings.", StringComparison.Ordinal);
}

/// <summary>A linear layer with activation on the first token, and a linear layer.</summary>
internal sealed class DebertaV2Head : RewardHead
{
    private readonly Pooler pooler;
    private readonly Linear classifier;
    private readonly ActivationFunction activation;
    private readonly double dropout;

    public DebertaV2Head(DebertaV2Config config, int outputs, double dropout) : base(nameof(DebertaV2Head))
    {
        this.dropout = dropout;
        pooler = new Pooler(config.Width);
        classifier = new Linear(config.Width, outputs, hasBias: true);
        activation = ActivationFunction.Named(config.PoolerActivation);
        RegisterComponents();
    }

    public override string OutputWeight => "classifier.weight";

    public override Tensor Outputs(Tensor first_ND)
    {
        var pooled_ND = activation.Of(pooler.dense.call(Dropout.Apply(first_ND.to(float32), dropout, training)));
        return classifier.call(Dropout.Apply(pooled_ND, dropout, training));
    }
}
