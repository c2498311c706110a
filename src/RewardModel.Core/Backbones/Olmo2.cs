using RewardModel.Checkpoints;
using RewardModel.Layers;
using RewardModel.Packing;
using static TorchSharp.torch;

namespace RewardModel.Backbones;

// OLMo 2 (Team OLMo, arXiv 2501.00656). Differences from Llama: attention and MLP read the residual stream as it is, and what they give
// has a norm before it is added; queries and keys have a norm of all heads together.
//
// T tokens, R of them computed in the layer, D width, N query heads, M key and value heads, H size of a head.

internal sealed record Olmo2Config : PreNormConfig
{
    public required bool HasAttentionBias { get; init; }

    public override LayerShape LayerShape => new(
        Width,
        new AttentionShape(HeadCount, KeyHeadCount, HeadSize) { IsRotated = true, HasNorms = true },
        new MlpShape(InnerWidth, Activation) { IsGated = true });

    public static Olmo2Config Read(ConfigReader reader)
    {
        var width = reader.Size("hidden_size");
        var headCount = reader.Size("num_attention_heads");
        var headSize = reader.Size("head_dim", headCount > 0 ? width / headCount : 0);
        var config = new Olmo2Config
        {
            VocabularySize = CommonSettings.VocabularySize(reader),
            Width = width,
            InnerWidth = CommonSettings.InnerWidth(reader),
            LayerCount = CommonSettings.LayerCount(reader),
            HeadCount = headCount,
            KeyHeadCount = reader.Int("num_key_value_heads", headCount),
            HeadSize = headSize,
            Activation = reader.OneOf("hidden_act", ActivationFunction.Names, "silu"),
            NormEpsilon = CommonSettings.NormEpsilon(reader, "rms_norm_eps", 1e-5),
            HasAttentionBias = reader.Bool("attention_bias", false),
            InitializerRange = CommonSettings.InitializerRange(reader),
            Rotary = RotaryFrequencies.Read(reader, headSize, CommonSettings.Positions(reader, 2048)),
        };
        reader.Ignore("attention_dropout");
        CommonSettings.CheckHeads(reader, headCount, config.KeyHeadCount, config.HeadSize);
        reader.Finish();
        return config;
    }
}

internal sealed class Olmo2Attention : RotaryAttention
{
    private readonly Linear q_proj;
    private readonly Linear k_proj;
    private readonly Linear v_proj;
    private readonly Linear o_proj;
    private readonly RmsNorm q_norm;
    private readonly RmsNorm k_norm;
    private readonly Olmo2Config config;
    private readonly double dropout;

    public Olmo2Attention(Olmo2Config config, double dropout) : base(nameof(Olmo2Attention))
    {
        this.config = config;
        this.dropout = dropout;
        var (queries, keys) = (config.HeadCount * config.HeadSize, config.KeyHeadCount * config.HeadSize);
        q_proj = new Linear(config.Width, queries, config.HasAttentionBias);
        k_proj = new Linear(config.Width, keys, config.HasAttentionBias);
        v_proj = new Linear(config.Width, keys, config.HasAttentionBias);
        o_proj = new Linear(queries, config.Width, config.HasAttentionBias);
        q_norm = new RmsNorm(queries, config.NormEpsilon);
        k_norm = new RmsNorm(keys, config.NormEpsilon);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x_TD, QueryRows rows, (Tensor Cos, Tensor Sin) angles)
    {
        var q_RNH = RotaryEmbedding.Rotate(
            q_norm.call(q_proj.call(rows.Of(x_TD))).view(-1, config.HeadCount, config.HeadSize), rows.Of(angles));
        var k_TMH = RotaryEmbedding.Rotate(k_norm.call(k_proj.call(x_TD)).view(-1, config.KeyHeadCount, config.HeadSize), angles);
        var v_TMH = v_proj.call(x_TD).view(-1, config.KeyHeadCount, config.HeadSize);
        var options = new AttentionOptions(1 / Math.Sqrt(config.HeadSize))
        {
            Dropout = training ? dropout : 0,
            Precision = o_proj.Precision,
        };
        return o_proj.call(Attention.Apply(q_RNH, k_TMH, v_TMH, rows, options));
    }
}

internal sealed class Olmo2Block : RotaryBlock
{
    private readonly Olmo2Attention self_attn;
    private readonly RmsNorm post_attention_layernorm;
    private readonly GatedMlp mlp;
    private readonly RmsNorm post_feedforward_layernorm;

    public Olmo2Block(Olmo2Config config, double dropout) : base(nameof(Olmo2Block))
    {
        self_attn = new Olmo2Attention(config, dropout);
        post_attention_layernorm = new RmsNorm(config.Width, config.NormEpsilon);
        mlp = new GatedMlp(config.Width, config.InnerWidth, config.Activation, hasBias: false);
        post_feedforward_layernorm = new RmsNorm(config.Width, config.NormEpsilon);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x_TD, QueryRows rows, (Tensor Cos, Tensor Sin) angles)
    {
        using var scope = NewDisposeScope();
        var x_RD = Residual.Add(rows.Of(x_TD), post_attention_layernorm.call(self_attn.forward(x_TD, rows, angles)));
        return Residual.Add(x_RD, post_feedforward_layernorm.call(mlp.call(x_RD))).MoveToOuterDisposeScope();
    }
}

/// <summary>OLMo 2, as <c>Olmo2ForSequenceClassification</c> has it under its head.</summary>
internal sealed class Olmo2(Olmo2Config config, double dropout)
    : PreNormDecoder("OLMo 2", config, _ => new Olmo2Block(config, dropout))
{
    public override string SequenceClassificationClass => "Olmo2ForSequenceClassification";
}
