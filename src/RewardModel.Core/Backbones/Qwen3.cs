using RewardModel.Checkpoints;
using RewardModel.Layers;
using RewardModel.Packing;
using static TorchSharp.torch;

namespace RewardModel.Backbones;

// Qwen3 (Yang et al., arXiv 2505.09388). Differences from Llama: every head's queries and keys are normed before they are rotated, a
// head's size is a setting of its own, and some layers have a sliding window, where one is switched on.
//
// T tokens, R of them computed in the layer, D width, N query heads, M key and value heads, H size of a head.

internal sealed record Qwen3Config : PreNormConfig
{
    public required bool HasAttentionBias { get; init; }

    public required AttentionReach[] ReachByLayer { get; init; }

    public static Qwen3Config Read(ConfigReader reader)
    {
        var width = reader.Size("hidden_size");
        var layerCount = reader.LayerCount("num_hidden_layers");
        var headCount = reader.Size("num_attention_heads");
        var headSize = reader.Size("head_dim", 128);
        var config = new Qwen3Config
        {
            VocabularySize = reader.Size("vocab_size"),
            Width = width,
            InnerWidth = reader.Size("intermediate_size"),
            LayerCount = layerCount,
            HeadCount = headCount,
            KeyHeadCount = reader.IntOrNull("num_key_value_heads", 32) ?? headCount,
            HeadSize = headSize,
            Activation = reader.OneOf("hidden_act", ActivationFunction.Names, "silu"),
            NormEpsilon = reader.Double("rms_norm_eps", 1e-6),
            HasAttentionBias = reader.Bool("attention_bias", false),
            ReachByLayer = CommonSettings.ReachByLayer(reader, layerCount),
            InitializerRange = reader.Double("initializer_range", 0.02),
            Rotary = RotaryFrequencies.Read(reader, headSize, reader.Size("max_position_embeddings", 32768)),
        };
        reader.Ignore("attention_dropout");
        CommonSettings.CheckHeads(reader, headCount, config.KeyHeadCount);
        reader.Finish();
        return config;
    }
}

internal sealed class Qwen3Attention : RotaryAttention
{
    private readonly Linear q_proj;
    private readonly Linear k_proj;
    private readonly Linear v_proj;
    private readonly Linear o_proj;
    private readonly RmsNorm q_norm;
    private readonly RmsNorm k_norm;
    private readonly Qwen3Config config;
    private readonly AttentionReach reach;
    private readonly double dropout;

    public Qwen3Attention(Qwen3Config config, int layer, double dropout) : base(nameof(Qwen3Attention))
    {
        this.config = config;
        reach = config.ReachByLayer[layer];
        this.dropout = dropout;
        q_proj = new Linear(config.Width, config.HeadCount * config.HeadSize, config.HasAttentionBias);
        k_proj = new Linear(config.Width, config.KeyHeadCount * config.HeadSize, config.HasAttentionBias);
        v_proj = new Linear(config.Width, config.KeyHeadCount * config.HeadSize, config.HasAttentionBias);
        o_proj = new Linear(config.HeadCount * config.HeadSize, config.Width, config.HasAttentionBias);
        q_norm = new RmsNorm(config.HeadSize, config.NormEpsilon);
        k_norm = new RmsNorm(config.HeadSize, config.NormEpsilon);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x_TD, QueryRows rows, (Tensor Cos, Tensor Sin) angles)
    {
        var q_RNH = RotaryEmbedding.Rotate(
            q_norm.call(q_proj.call(rows.Of(x_TD)).view(-1, config.HeadCount, config.HeadSize)), rows.Of(angles));
        var k_TMH = RotaryEmbedding.Rotate(k_norm.call(k_proj.call(x_TD).view(-1, config.KeyHeadCount, config.HeadSize)), angles);
        var v_TMH = v_proj.call(x_TD).view(-1, config.KeyHeadCount, config.HeadSize);
        var options = new AttentionOptions(1 / Math.Sqrt(config.HeadSize))
        {
            Dropout = training ? dropout : 0,
            Reach = reach,
            Precision = o_proj.Precision,
        };
        return o_proj.call(Attention.Apply(q_RNH, k_TMH, v_TMH, rows, options));
    }
}

/// <summary>Qwen3, as <c>Qwen3ForSequenceClassification</c> has it under its head.</summary>
internal sealed class Qwen3(Qwen3Config config, double dropout)
    : PreNormDecoder("Qwen3", config, layer => new PreNormBlock(
        config.Width,
        config.NormEpsilon,
        new Qwen3Attention(config, layer, dropout),
        new GatedMlp(config.Width, config.InnerWidth, config.Activation, hasBias: false)))
{
    public override string SequenceClassificationClass => "Qwen3ForSequenceClassification";

    internal override LayerShape LayerShape { get; } = new(
        config.Width,
        new AttentionShape(config.HeadCount, config.KeyHeadCount, config.HeadSize) { IsRotated = true, HasNorms = true },
        new MlpShape(config.InnerWidth, config.Activation) { IsGated = true });
}
