using RewardModel.Checkpoints;
using RewardModel.Layers;
using RewardModel.Packing;
using static TorchSharp.torch;
using GptNeoXBlocks = TorchSharp.Modules.ModuleList<RewardModel.Backbones.GptNeoXBlock>;

namespace RewardModel.Backbones;

// GPT-NeoX (Black et al., arXiv 2204.06745), also Pythia's. Differences from Llama: attention and MLP read the same hidden state, side
// by side, where use_parallel_residual says so; layer norms with bias; one projection whose outputs are q, k and v of the first head,
// then of the second and so on; only the first channels of a head rotated; a plain MLP with GELU; biases everywhere.
//
// T tokens, R of them computed in the layer, D width, N heads, H size of a head.

internal sealed record GptNeoXConfig
{
    public required int VocabularySize { get; init; }

    public required int Width { get; init; }

    public required int InnerWidth { get; init; }

    public required int LayerCount { get; init; }

    public required int HeadCount { get; init; }

    public required string Activation { get; init; }

    public required double NormEpsilon { get; init; }

    public required bool IsParallel { get; init; }

    public required bool HasAttentionBias { get; init; }

    public required double InitializerRange { get; init; }

    public required RotarySettings Rotary { get; init; }

    public static GptNeoXConfig Read(ConfigReader reader)
    {
        var width = reader.Size("hidden_size");
        var headCount = reader.Size("num_attention_heads");
        var spelling = new RotarySpelling { BaseKey = "rotary_emb_base", ShareKey = "rotary_pct", AbsentShare = 0.25 };
        var config = new GptNeoXConfig
        {
            VocabularySize = reader.Size("vocab_size"),
            Width = width,
            InnerWidth = reader.Size("intermediate_size"),
            LayerCount = reader.LayerCount("num_hidden_layers"),
            HeadCount = headCount,
            Activation = reader.OneOf("hidden_act", ActivationFunction.Names, "gelu"),
            NormEpsilon = reader.Double("layer_norm_eps", 1e-5),
            IsParallel = reader.Bool("use_parallel_residual", true),
            HasAttentionBias = reader.Bool("attention_bias", true),
            InitializerRange = reader.Double("initializer_range", 0.02),
            Rotary = RotaryFrequencies.Read(
                reader, headCount > 0 ? width / headCount : 0, reader.Size("max_position_embeddings", 2048), spelling),
        };
        reader.Ignore("attention_dropout", "hidden_dropout", "attention_probs_dropout_prob", "hidden_dropout_prob");
        // Of the head for classifying tokens.
        reader.Ignore("classifier_dropout");
        CommonSettings.CheckWidth(reader, width, headCount);
        reader.Finish();
        return config;
    }
}

internal sealed class GptNeoXAttention : nn.Module
{
    private readonly Linear query_key_value;
    private readonly Linear dense;
    private readonly GptNeoXConfig config;
    private readonly double dropout;

    public GptNeoXAttention(GptNeoXConfig config, double dropout) : base(nameof(GptNeoXAttention))
    {
        this.config = config;
        this.dropout = dropout;
        query_key_value = new Linear(config.Width, 3 * config.Width, config.HasAttentionBias);
        dense = new Linear(config.Width, config.Width, config.HasAttentionBias);
        RegisterComponents();
    }

    public Tensor forward(Tensor x_TD, QueryRows rows, (Tensor Cos, Tensor Sin) angles)
    {
        var headSize = config.Width / config.HeadCount;
        var qkv = query_key_value.call(x_TD).view(-1, config.HeadCount, 3, headSize).unbind(2);
        var q_RNH = RotaryEmbedding.Rotate(rows.Of(qkv[0]), rows.Of(angles));
        var k_TNH = RotaryEmbedding.Rotate(qkv[1], angles);
        var options = new AttentionOptions(1 / Math.Sqrt(headSize))
        {
            Dropout = training ? dropout : 0,
            Precision = dense.Precision,
        };
        return dense.call(Attention.Apply(q_RNH, k_TNH, qkv[2], rows, options));
    }
}

internal sealed class GptNeoXMlp : nn.Module<Tensor, Tensor>
{
    private readonly Linear dense_h_to_4h;
    private readonly Linear dense_4h_to_h;
    private readonly ActivationFunction activation;

    public GptNeoXMlp(GptNeoXConfig config) : base(nameof(GptNeoXMlp))
    {
        dense_h_to_4h = new Linear(config.Width, config.InnerWidth, hasBias: true);
        dense_4h_to_h = new Linear(config.InnerWidth, config.Width, hasBias: true);
        activation = ActivationFunction.Named(config.Activation);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x_TD) => dense_4h_to_h.After(activation, dense_h_to_4h.call(x_TD));
}

internal sealed class GptNeoXBlock : nn.Module
{
    private readonly LayerNorm input_layernorm;
    private readonly GptNeoXAttention attention;
    private readonly LayerNorm post_attention_layernorm;
    private readonly GptNeoXMlp mlp;
    private readonly bool isParallel;
    private readonly double dropout;

    public GptNeoXBlock(GptNeoXConfig config, double dropout) : base(nameof(GptNeoXBlock))
    {
        this.dropout = dropout;
        isParallel = config.IsParallel;
        input_layernorm = new LayerNorm(config.Width, config.NormEpsilon);
        attention = new GptNeoXAttention(config, dropout);
        post_attention_layernorm = new LayerNorm(config.Width, config.NormEpsilon);
        mlp = new GptNeoXMlp(config);
        RegisterComponents();
    }

    public Tensor forward(Tensor x_TD, QueryRows rows, (Tensor Cos, Tensor Sin) angles)
    {
        using var scope = NewDisposeScope();
        var x_RD = rows.Of(x_TD);
        var attended_RD = x_RD.add(Dropout.Apply(attention.forward(input_layernorm.call(x_TD), rows, angles), dropout, training));
        var mlpInput_RD = post_attention_layernorm.call(isParallel ? x_RD : attended_RD);
        return attended_RD.add(Dropout.Apply(mlp.call(mlpInput_RD), dropout, training)).MoveToOuterDisposeScope();
    }
}

/// <summary>GPT-NeoX, as <c>GPTNeoXForSequenceClassification</c> has it under its head.</summary>
internal sealed class GptNeoX : Backbone
{
    private readonly Embedding embed_in;
    private readonly GptNeoXBlocks layers;
    private readonly LayerNorm final_layer_norm;
    private readonly RotaryEmbedding rotary;
    private readonly GptNeoXConfig config;
    private readonly double dropout;

    public GptNeoX(GptNeoXConfig config, double dropout) : base("GPT-NeoX")
    {
        this.config = config;
        this.dropout = dropout;
        embed_in = new Embedding(config.VocabularySize, config.Width);
        layers = nn.ModuleList([.. Enumerable.Range(0, config.LayerCount).Select(_ => new GptNeoXBlock(config, dropout))]);
        final_layer_norm = new LayerNorm(config.Width, config.NormEpsilon);
        rotary = new RotaryEmbedding(config.Rotary);
        RegisterComponents();
    }

    public override int HiddenSize => config.Width;

    internal override IReadOnlyList<nn.Module> Layers => [.. layers];

    internal override LayerShape LayerShape => new(
        config.Width,
        new AttentionShape(config.HeadCount, config.HeadCount, config.Width / config.HeadCount) { IsFused = true, IsRotated = true },
        new MlpShape(config.InnerWidth, config.Activation))
    {
        IsParallel = config.IsParallel,
    };

    public override int VocabularySize => config.VocabularySize;

    public override int MaxPositions => config.Rotary.MaxPositions;

    public override string BaseModelPrefix => "gpt_neox";

    public override string SequenceClassificationClass => "GPTNeoXForSequenceClassification";

    public override double InitializerRange => config.InitializerRange;

    private protected override Tensor HiddenStates(ForwardPass pass, QueryRows lastRows)
    {
        var angles = pass.AnglesOf(rotary);
        var x_TD = Dropout.Apply(embed_in.call(pass.Sequences.TokenIds), dropout, training);
        x_TD = pass.Through(layers, x_TD, lastRows, (layer, x_TD, rows) => layer.forward(x_TD, rows, angles));
        return final_layer_norm.call(x_TD);
    }

    public override void InitializeWeights() => Initialization.Apply(this, config.InitializerRange);

    // Causal masks and rotary frequencies, which old versions of transformers saved as buffers.
    internal override bool Ignores(string parameterName) =>
        parameterName.EndsWith(".attention.bias", StringComparison.Ordinal)
        || parameterName.EndsWith(".attention.masked_bias", StringComparison.Ordinal)
        || parameterName.EndsWith("rotary_emb.inv_freq", StringComparison.Ordinal);
}
