using RewardModel.Checkpoints;
using RewardModel.Layers;
using RewardModel.Packing;
using static TorchSharp.torch;
using BloomBlocks = TorchSharp.Modules.ModuleList<RewardModel.Backbones.BloomBlock>;

namespace RewardModel.Backbones;

// BLOOM (BigScience, arXiv 2211.05100). Differences from Llama: no positions but ALiBi's, which lower scores by distance; a norm behind the
// embeddings; layer norms with bias; one projection whose outputs are q, k and v of the first head, then of the second and so on; a plain
// MLP, four times as wide, with tanh-GELU; biases everywhere.
//
// T tokens, R of them computed in the layer, D width, N heads, H size of a head, P positions.

internal sealed record BloomConfig : IBackboneConfig
{
    /// <summary>The only function that its MLP has.</summary>
    public const string Activation = "gelu_pytorch_tanh";

    public required int VocabularySize { get; init; }

    public required int Width { get; init; }

    public required int LayerCount { get; init; }

    public required int HeadCount { get; init; }

    public required int Positions { get; init; }

    public required double NormEpsilon { get; init; }

    /// <summary>Whether norms, and not what they took, go past attention and MLP.</summary>
    public required bool AddsToNorms { get; init; }

    public required double InitializerRange { get; init; }

    public int InnerWidth => 4 * Width;

    public long EmbeddingSize => (long)VocabularySize * Width;

    public LayerShape LayerShape => new(
        Width,
        new AttentionShape(HeadCount, HeadCount, Width / HeadCount) { IsFused = true },
        new MlpShape(InnerWidth, Activation));

    public static BloomConfig Read(ConfigReader reader)
    {
        var width = CommonSettings.Either(reader, "hidden_size", "n_embed", ConfigLimits.Width / 4);
        var headCount = CommonSettings.Either(reader, "n_head", "num_attention_heads", ConfigLimits.Width);
        var config = new BloomConfig
        {
            VocabularySize = CommonSettings.VocabularySize(reader),
            Width = width,
            LayerCount = CommonSettings.Either(reader, "n_layer", "num_hidden_layers", ConfigLimits.Layers),
            HeadCount = headCount,
            // The length that it was trained on, which files of BigScience give.
            Positions = reader.Size("seq_length", 2048, ConfigLimits.Positions),
            NormEpsilon = CommonSettings.NormEpsilon(reader, "layer_norm_epsilon", 1e-5),
            AddsToNorms = reader.Bool("apply_residual_connection_post_layernorm", false),
            InitializerRange = CommonSettings.InitializerRange(reader),
        };
        // The same products in slices, as they were trained; how kernels were put together; and settings that transformers doesn't read.
        reader.Ignore(
            "slow_but_exact", "attention_softmax_in_fp32", "bias_dropout_fusion", "masked_softmax_fusion", "skip_bias_add", "skip_bias_add_qkv",
            "n_inner", "offset_alibi");
        if (headCount < 1 || width % headCount != 0)
            reader.Problem($"hidden_size is {width} and n_head {headCount}; expected the first to be a multiple of the second");
        reader.Finish();
        return config;
    }
}

internal sealed class BloomAttention : nn.Module
{
    private readonly Linear query_key_value;
    private readonly Linear dense;
    private readonly BloomConfig config;
    private readonly double dropout;

    public BloomAttention(BloomConfig config, double dropout) : base(nameof(BloomAttention))
    {
        this.config = config;
        this.dropout = dropout;
        query_key_value = new Linear(config.Width, 3 * config.Width, hasBias: true);
        dense = new Linear(config.Width, config.Width, hasBias: true);
        RegisterComponents();
    }

    public Tensor forward(Tensor x_TD, QueryRows rows, Tensor bias_NP)
    {
        var headSize = config.Width / config.HeadCount;
        var qkv = query_key_value.call(x_TD).view(-1, config.HeadCount, 3, headSize).unbind(2);
        var options = new AttentionOptions(1 / Math.Sqrt(headSize))
        {
            Dropout = training ? dropout : 0,
            Precision = dense.Precision,
            KeyBias_NP = bias_NP,
        };
        return Dropout.Apply(dense.call(Attention.Apply(rows.Of(qkv[0]), qkv[1], qkv[2], rows, options)), dropout, training);
    }
}

internal sealed class BloomMlp : nn.Module<Tensor, Tensor>
{
    private readonly Linear dense_h_to_4h;
    private readonly Linear dense_4h_to_h;
    private readonly ActivationFunction activation;
    private readonly double dropout;

    public BloomMlp(BloomConfig config, double dropout) : base(nameof(BloomMlp))
    {
        this.dropout = dropout;
        dense_h_to_4h = new Linear(config.Width, config.InnerWidth, hasBias: true);
        dense_4h_to_h = new Linear(config.InnerWidth, config.Width, hasBias: true);
        activation = ActivationFunction.Named(BloomConfig.Activation);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x_TD) =>
        Dropout.Apply(dense_4h_to_h.After(activation, dense_h_to_4h.call(x_TD)), dropout, training);
}

internal sealed class BloomBlock : nn.Module
{
    private readonly LayerNorm input_layernorm;
    private readonly BloomAttention self_attention;
    private readonly LayerNorm post_attention_layernorm;
    private readonly BloomMlp mlp;
    private readonly bool addsToNorms;

    public BloomBlock(BloomConfig config, double dropout) : base(nameof(BloomBlock))
    {
        addsToNorms = config.AddsToNorms;
        input_layernorm = new LayerNorm(config.Width, config.NormEpsilon);
        self_attention = new BloomAttention(config, dropout);
        post_attention_layernorm = new LayerNorm(config.Width, config.NormEpsilon);
        mlp = new BloomMlp(config, dropout);
        RegisterComponents();
    }

    public Tensor forward(Tensor x_TD, QueryRows rows, Tensor bias_NP)
    {
        using var scope = NewDisposeScope();
        var (past_TD, normed_TD) = Fork(input_layernorm, x_TD);
        var x_RD = Residual.Add(rows.Of(past_TD), self_attention.forward(normed_TD, rows, bias_NP));
        var (past_RD, normed_RD) = Fork(post_attention_layernorm, x_RD);
        return Residual.Add(past_RD, mlp.call(normed_RD)).MoveToOuterDisposeScope();
    }

    private Fork Fork(LayerNorm norm, Tensor x)
    {
        if (!addsToNorms)
            return norm.Fork(x);
        var normed = norm.call(x);
        return new Fork(normed, normed);
    }
}

/// <summary>BLOOM, as <c>BloomForSequenceClassification</c> has it under its head.</summary>
internal sealed class Bloom : Backbone
{
    private readonly Embedding word_embeddings;
    private readonly LayerNorm word_embeddings_layernorm;
    private readonly BloomBlocks h;
    private readonly LayerNorm ln_f;
    private readonly Alibi alibi;
    private readonly BloomConfig config;

    public Bloom(BloomConfig config, double dropout) : base("BLOOM")
    {
        this.config = config;
        word_embeddings = new Embedding(config.VocabularySize, config.Width);
        word_embeddings_layernorm = new LayerNorm(config.Width, config.NormEpsilon);
        h = nn.ModuleList([.. Enumerable.Range(0, config.LayerCount).Select(_ => new BloomBlock(config, dropout))]);
        ln_f = new LayerNorm(config.Width, config.NormEpsilon);
        alibi = new Alibi(config.HeadCount);
        RegisterComponents();
    }

    public override int HiddenSize => config.Width;

    internal override IReadOnlyList<nn.Module> Layers => [.. h];

    internal override LayerShape LayerShape => config.LayerShape;

    public override int VocabularySize => config.VocabularySize;

    public override int MaxPositions => config.Positions;

    public override string BaseModelPrefix => "transformer";

    public override string SequenceClassificationClass => "BloomForSequenceClassification";

    public override double InitializerRange => config.InitializerRange;

    private protected override Tensor HiddenStates(ForwardPass pass, QueryRows lastRows)
    {
        var bias_NP = pass.BiasOf(alibi);
        var x_TD = word_embeddings_layernorm.call(word_embeddings.call(pass.Sequences.TokenIds));
        x_TD = pass.Through(h, x_TD, lastRows, (block, x_TD, rows) => block.forward(x_TD, rows, bias_NP));
        return ln_f.call(x_TD);
    }

    public override void InitializeWeights() => Initialization.Apply(this, config.InitializerRange);
}
