using RewardModel.Checkpoints;
using RewardModel.Layers;
using RewardModel.Packing;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;
using StableLmHeads = TorchSharp.Modules.ModuleList<RewardModel.Backbones.StableLmHeadNorm>;

namespace RewardModel.Backbones;

// StableLM (Bellagente et al., arXiv 2402.17834). Differences from Llama: layer norms with bias; only the first channels of a head rotated;
// biases of queries, keys and values where use_qkv_bias says so. Where use_parallel_residual does, attention and MLP read the same norm,
// side by side; where qk_layernorm does, the queries and keys of each head have a layer norm of their own, without bias.
//
// T tokens, R of them computed in the layer, D width, N query heads, M key and value heads, H size of a head.

internal sealed record StableLmConfig : PreNormConfig
{
    public required bool HasQueryBias { get; init; }

    public required bool HasHeadNorms { get; init; }

    public required bool IsParallel { get; init; }

    public override LayerShape LayerShape => new(
        Width,
        new AttentionShape(HeadCount, KeyHeadCount, HeadSize)
        {
            IsRotated = true,
            HasNorms = HasHeadNorms,
            HasNormsByHead = HasHeadNorms,
        },
        new MlpShape(InnerWidth, Activation) { IsGated = true })
    {
        NormCount = IsParallel ? 1 : 2,
        IsParallel = IsParallel,
    };

    public static StableLmConfig Read(ConfigReader reader)
    {
        var width = reader.Size("hidden_size");
        var headCount = reader.Size("num_attention_heads");
        var headSize = headCount > 0 ? width / headCount : 0;
        var spelling = new RotarySpelling { ShareKey = "partial_rotary_factor", AbsentShare = 0.25 };
        var config = new StableLmConfig
        {
            VocabularySize = CommonSettings.VocabularySize(reader),
            Width = width,
            InnerWidth = CommonSettings.InnerWidth(reader),
            LayerCount = CommonSettings.LayerCount(reader),
            HeadCount = headCount,
            KeyHeadCount = reader.Int("num_key_value_heads", 32),
            HeadSize = headSize,
            Activation = reader.OneOf("hidden_act", ActivationFunction.Names, "silu"),
            NormEpsilon = CommonSettings.NormEpsilon(reader, "layer_norm_eps", 1e-5),
            HasQueryBias = reader.Bool("use_qkv_bias", false),
            HasHeadNorms = reader.Bool("qk_layernorm", false),
            IsParallel = reader.Bool("use_parallel_residual", false),
            InitializerRange = CommonSettings.InitializerRange(reader),
            Rotary = RotaryFrequencies.Read(reader, headSize, CommonSettings.Positions(reader, 4096), spelling),
        };
        reader.Ignore("attention_dropout", "hidden_dropout");
        // Of the code that some files were published with, before transformers had the architecture; 1 is for none.
        reader.MustBe("rotary_scaling_factor", supported: 1);
        CommonSettings.CheckWidth(reader, width, headCount);
        CommonSettings.CheckHeads(reader, headCount, config.KeyHeadCount, config.HeadSize);
        reader.Finish();
        return config;
    }
}

/// <summary>The weight of one head's norm.</summary>
internal sealed class StableLmHeadNorm : nn.Module
{
    public readonly Parameter weight;

    public StableLmHeadNorm(long headSize) : base(nameof(StableLmHeadNorm))
    {
        weight = new Parameter(empty(headSize));
        RegisterComponents();
    }
}

/// <summary>A layer norm for every head, each with a weight of its own and without bias.</summary>
internal sealed class StableLmHeadNorms : nn.Module<Tensor, Tensor>
{
    private readonly StableLmHeads norms;
    private readonly LayerNorm plain;

    public StableLmHeadNorms(int headCount, long headSize, double normEpsilon) : base(nameof(StableLmHeadNorms))
    {
        norms = nn.ModuleList([.. Enumerable.Range(0, headCount).Select(_ => new StableLmHeadNorm(headSize))]);
        plain = new LayerNorm(headSize, normEpsilon, hasBias: false, hasWeight: false);
        RegisterComponents();
    }

    /// <summary>[T, N, H] to the same.</summary>
    public override Tensor forward(Tensor x_TNH)
    {
        var weights_NH = stack([.. norms.Select(norm => norm.weight)]);
        return plain.call(x_TNH.view(-1, x_TNH.size(2))).view(x_TNH.shape).mul(weights_NH);
    }
}

internal sealed class StableLmAttention : nn.Module
{
    private readonly Linear q_proj;
    private readonly Linear k_proj;
    private readonly Linear v_proj;
    private readonly Linear o_proj;
    private readonly StableLmHeadNorms? q_layernorm;
    private readonly StableLmHeadNorms? k_layernorm;
    private readonly StableLmConfig config;
    private readonly double dropout;

    public StableLmAttention(StableLmConfig config, double dropout) : base(nameof(StableLmAttention))
    {
        this.config = config;
        this.dropout = dropout;
        q_proj = new Linear(config.Width, config.Width, config.HasQueryBias);
        k_proj = new Linear(config.Width, config.KeyHeadCount * config.HeadSize, config.HasQueryBias);
        v_proj = new Linear(config.Width, config.KeyHeadCount * config.HeadSize, config.HasQueryBias);
        o_proj = new Linear(config.Width, config.Width, hasBias: false);
        if (config.HasHeadNorms)
        {
            q_layernorm = new StableLmHeadNorms(config.HeadCount, config.HeadSize, config.NormEpsilon);
            k_layernorm = new StableLmHeadNorms(config.KeyHeadCount, config.HeadSize, config.NormEpsilon);
        }
        RegisterComponents();
    }

    public Tensor forward(Tensor x_TD, QueryRows rows, (Tensor Cos, Tensor Sin) angles)
    {
        var q_RNH = q_proj.call(rows.Of(x_TD)).view(-1, config.HeadCount, config.HeadSize);
        var k_TMH = k_proj.call(x_TD).view(-1, config.KeyHeadCount, config.HeadSize);
        q_RNH = RotaryEmbedding.Rotate(q_layernorm?.call(q_RNH) ?? q_RNH, rows.Of(angles));
        k_TMH = RotaryEmbedding.Rotate(k_layernorm?.call(k_TMH) ?? k_TMH, angles);
        var v_TMH = v_proj.call(x_TD).view(-1, config.KeyHeadCount, config.HeadSize);
        var options = new AttentionOptions(1 / Math.Sqrt(config.HeadSize))
        {
            Dropout = training ? dropout : 0,
            Precision = o_proj.Precision,
        };
        return o_proj.call(Attention.Apply(q_RNH, k_TMH, v_TMH, rows, options));
    }
}

internal sealed class StableLmBlock : RotaryBlock
{
    private readonly LayerNorm input_layernorm;
    private readonly StableLmAttention self_attn;
    private readonly LayerNorm? post_attention_layernorm;
    private readonly GatedMlp mlp;
    private readonly double dropout;

    public StableLmBlock(StableLmConfig config, double dropout) : base(nameof(StableLmBlock))
    {
        this.dropout = dropout;
        input_layernorm = new LayerNorm(config.Width, config.NormEpsilon);
        self_attn = new StableLmAttention(config, dropout);
        post_attention_layernorm = config.IsParallel ? null : new LayerNorm(config.Width, config.NormEpsilon);
        mlp = new GatedMlp(config.Width, config.InnerWidth, config.Activation, hasBias: false);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x_TD, QueryRows rows, (Tensor Cos, Tensor Sin) angles)
    {
        using var scope = NewDisposeScope();
        var (residual_TD, normed_TD) = input_layernorm.Fork(x_TD);
        var x_RD = Residual.Add(rows.Of(residual_TD), self_attn.forward(normed_TD, rows, angles));
        var (residual_RD, normed_RD) = post_attention_layernorm?.Fork(x_RD) ?? new Fork(x_RD, rows.Of(normed_TD));
        return Residual.Add(residual_RD, Dropout.Apply(mlp.call(normed_RD), dropout, training)).MoveToOuterDisposeScope();
    }
}

/// <summary>StableLM, as <c>StableLmForSequenceClassification</c> has it under its head.</summary>
internal sealed class StableLm(StableLmConfig config, double dropout)
    : PreNormDecoder("StableLM", config, _ => new StableLmBlock(config, dropout), new LayerNorm(config.Width, config.NormEpsilon))
{
    public override string SequenceClassificationClass => "StableLmForSequenceClassification";
}
