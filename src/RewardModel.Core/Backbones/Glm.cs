using RewardModel.Checkpoints;
using RewardModel.Layers;
using RewardModel.Packing;
using static TorchSharp.torch;
using RotaryPairs = RewardModel.Kernels.RotaryPairs;

namespace RewardModel.Backbones;

// GLM (Zeng et al., "ChatGLM: A Family of Large Language Models from GLM-130B to GLM-4 All Tools", arXiv 2406.12793), as transformers has
// GLM-4-9B. Differences from Llama: rotary positions turn neighbouring channels, and those of half a head only; biases on queries, keys and
// values; gate and up in one matrix; a head's size is a setting of its own.
//
// T tokens, R of them computed in the layer, D width, N query heads, M key and value heads, H size of a head.

internal sealed record GlmConfig : PreNormConfig
{
    public required bool HasAttentionBias { get; init; }

    public override LayerShape LayerShape => new(
        Width,
        new AttentionShape(HeadCount, KeyHeadCount, HeadSize) { IsRotated = true },
        new MlpShape(InnerWidth, Activation) { IsGated = true, IsFused = true });

    public static GlmConfig Read(ConfigReader reader)
    {
        var headCount = reader.Size("num_attention_heads");
        var headSize = reader.Size("head_dim", 128);
        var spelling = new RotarySpelling { ShareKey = "partial_rotary_factor", AbsentShare = 0.5 };
        var config = new GlmConfig
        {
            VocabularySize = CommonSettings.VocabularySize(reader),
            Width = reader.Size("hidden_size"),
            InnerWidth = CommonSettings.InnerWidth(reader),
            LayerCount = CommonSettings.LayerCount(reader),
            HeadCount = headCount,
            KeyHeadCount = reader.IntOrNull("num_key_value_heads", 2) ?? headCount,
            HeadSize = headSize,
            Activation = reader.OneOf("hidden_act", ActivationFunction.Names, "silu"),
            NormEpsilon = CommonSettings.NormEpsilon(reader, "rms_norm_eps", 1.5625e-7),
            HasAttentionBias = reader.Bool("attention_bias", true),
            InitializerRange = CommonSettings.InitializerRange(reader),
            Rotary = RotaryFrequencies.Read(reader, headSize, CommonSettings.Positions(reader, 131072), spelling),
        };
        CommonSettings.CheckHeads(reader, headCount, config.KeyHeadCount, headSize);
        reader.Finish();
        return config;
    }
}

internal sealed class GlmAttention : RotaryAttention
{
    private readonly Linear q_proj;
    private readonly Linear k_proj;
    private readonly Linear v_proj;
    private readonly Linear o_proj;
    private readonly GlmConfig config;
    private readonly double dropout;

    public GlmAttention(GlmConfig config, double dropout) : base(nameof(GlmAttention))
    {
        this.config = config;
        this.dropout = dropout;
        q_proj = new Linear(config.Width, config.HeadCount * config.HeadSize, config.HasAttentionBias);
        k_proj = new Linear(config.Width, config.KeyHeadCount * config.HeadSize, config.HasAttentionBias);
        v_proj = new Linear(config.Width, config.KeyHeadCount * config.HeadSize, config.HasAttentionBias);
        o_proj = new Linear(config.HeadCount * config.HeadSize, config.Width, hasBias: false);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x_TD, QueryRows rows, (Tensor Cos, Tensor Sin) angles)
    {
        var q_RNH = RotaryEmbedding.Rotate(
            q_proj.call(rows.Of(x_TD)).view(-1, config.HeadCount, config.HeadSize), rows.Of(angles), RotaryPairs.Neighbours);
        var k_TMH = RotaryEmbedding.Rotate(
            k_proj.call(x_TD).view(-1, config.KeyHeadCount, config.HeadSize), angles, RotaryPairs.Neighbours);
        var v_TMH = v_proj.call(x_TD).view(-1, config.KeyHeadCount, config.HeadSize);
        var options = new AttentionOptions(1 / Math.Sqrt(config.HeadSize))
        {
            Dropout = training ? dropout : 0,
            Precision = o_proj.Precision,
        };
        return o_proj.call(Attention.Apply(q_RNH, k_TMH, v_TMH, rows, options));
    }
}

internal sealed class GlmMlp : nn.Module<Tensor, Tensor>
{
    private readonly Linear gate_up_proj;
    private readonly Linear down_proj;
    private readonly ActivationFunction activation;

    public GlmMlp(GlmConfig config) : base(nameof(GlmMlp))
    {
        gate_up_proj = new Linear(config.Width, 2 * config.InnerWidth, hasBias: false);
        down_proj = new Linear(config.InnerWidth, config.Width, hasBias: false);
        activation = ActivationFunction.Named(config.Activation);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x_TD)
    {
        var gateUp = gate_up_proj.call(x_TD);
        var inner = gateUp.size(1) / 2;
        return down_proj.After(activation, gateUp.narrow(1, 0, inner), gateUp.narrow(1, inner, inner));
    }
}

/// <summary>GLM, as <c>GlmForSequenceClassification</c> has it under its head.</summary>
internal sealed class Glm(GlmConfig config, double dropout)
    : PreNormDecoder("GLM", config, _ => new PreNormBlock(
        config.Width,
        config.NormEpsilon,
        new GlmAttention(config, dropout),
        new GlmMlp(config)))
{
    public override string SequenceClassificationClass => "GlmForSequenceClassification";
}
