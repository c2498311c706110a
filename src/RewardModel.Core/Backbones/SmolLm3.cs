using RewardModel.Checkpoints;
using RewardModel.Layers;
using RewardModel.Packing;
using static TorchSharp.torch;

namespace RewardModel.Backbones;

// SmolLM3 (Hugging Face, 2025). Differences from Llama: every fourth layer, or those that the file names, has no positions at all: their
// queries and keys are not rotated (NoPE, Yang et al., arXiv 2501.18795); only these may have a sliding window.
//
// T tokens, R of them computed in the layer, D width, N query heads, M key and value heads, H size of a head.

internal sealed record SmolLm3Config : PreNormConfig
{
    public required bool HasAttentionBias { get; init; }

    public required bool HasMlpBias { get; init; }

    public required bool[] IsRotated { get; init; }

    public required AttentionReach[] ReachByLayer { get; init; }

    public override LayerShape LayerShape => new(
        Width,
        new AttentionShape(HeadCount, KeyHeadCount, HeadSize) { IsRotated = true },
        new MlpShape(InnerWidth, Activation) { IsGated = true });

    public static SmolLm3Config Read(ConfigReader reader)
    {
        var width = reader.Size("hidden_size");
        var headCount = reader.Size("num_attention_heads");
        var headSize = reader.Size("head_dim", headCount > 0 ? width / headCount : 0);
        var layerCount = CommonSettings.LayerCount(reader);
        var isRotated = ReadRotatedLayers(reader, layerCount);
        var spelling = new RotarySpelling { AbsentBase = 2_000_000 };
        var config = new SmolLm3Config
        {
            VocabularySize = CommonSettings.VocabularySize(reader),
            Width = width,
            InnerWidth = CommonSettings.InnerWidth(reader),
            LayerCount = layerCount,
            HeadCount = headCount,
            KeyHeadCount = reader.IntOrNull("num_key_value_heads", 4) ?? headCount,
            HeadSize = headSize,
            Activation = reader.OneOf("hidden_act", ActivationFunction.Names, "silu"),
            NormEpsilon = CommonSettings.NormEpsilon(reader, "rms_norm_eps", 1e-6),
            HasAttentionBias = reader.Bool("attention_bias", false),
            HasMlpBias = reader.Bool("mlp_bias", false),
            IsRotated = isRotated,
            ReachByLayer = CommonSettings.ReachByLayer(
                reader, layerCount, reader.OptionalInt("sliding_window"), layer => !isRotated[layer]),
            InitializerRange = CommonSettings.InitializerRange(reader),
            Rotary = RotaryFrequencies.Read(reader, headSize, CommonSettings.Positions(reader, 32768), spelling),
        };
        // Another family's setting, which published files have; no window here depends on it.
        reader.Ignore("max_window_layers");
        reader.Ignore("attention_dropout");
        CommonSettings.CheckHeads(reader, headCount, config.KeyHeadCount, config.HeadSize);
        reader.Finish();
        return config;
    }

    // 1 for layers with positions, 0 for those without. Behind the last layer's there may be more of them.
    private static bool[] ReadRotatedLayers(ConfigReader reader, int layerCount)
    {
        var interval = reader.Int("no_rope_layer_interval", 4, 1, ConfigLimits.Layers);
        if (!reader.Has("no_rope_layers"))
            return [.. Enumerable.Range(1, layerCount).Select(number => number % interval != 0)];
        var listed = reader.Doubles("no_rope_layers");
        if (listed.Count < layerCount)
            reader.Problem($"no_rope_layers has {listed.Count} entries and num_hidden_layers is {layerCount}; expected as many");
        if (listed.Any(entry => entry is not (0 or 1)))
            reader.Problem(
                FormattableString.Invariant($"no_rope_layers has {listed.First(entry => entry is not (0 or 1))}; ")
                + "expected 1 for layers with rotary positions and 0 for those without");
        return [.. Enumerable.Range(0, layerCount).Select(layer => listed.ElementAtOrDefault(layer) != 0)];
    }
}

internal sealed class SmolLm3Attention : RotaryAttention
{
    private readonly Linear q_proj;
    private readonly Linear k_proj;
    private readonly Linear v_proj;
    private readonly Linear o_proj;
    private readonly SmolLm3Config config;
    private readonly bool isRotated;
    private readonly AttentionReach reach;
    private readonly double dropout;

    public SmolLm3Attention(SmolLm3Config config, int layer, double dropout) : base(nameof(SmolLm3Attention))
    {
        this.config = config;
        this.dropout = dropout;
        isRotated = config.IsRotated[layer];
        reach = config.ReachByLayer[layer];
        q_proj = new Linear(config.Width, config.HeadCount * config.HeadSize, config.HasAttentionBias);
        k_proj = new Linear(config.Width, config.KeyHeadCount * config.HeadSize, config.HasAttentionBias);
        v_proj = new Linear(config.Width, config.KeyHeadCount * config.HeadSize, config.HasAttentionBias);
        o_proj = new Linear(config.HeadCount * config.HeadSize, config.Width, config.HasAttentionBias);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x_TD, QueryRows rows, (Tensor Cos, Tensor Sin) angles)
    {
        var q_RNH = q_proj.call(rows.Of(x_TD)).view(-1, config.HeadCount, config.HeadSize);
        var k_TMH = k_proj.call(x_TD).view(-1, config.KeyHeadCount, config.HeadSize);
        if (isRotated)
            (q_RNH, k_TMH) = (RotaryEmbedding.Rotate(q_RNH, rows.Of(angles)), RotaryEmbedding.Rotate(k_TMH, angles));
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

/// <summary>SmolLM3, as <c>SmolLM3ForSequenceClassification</c> has it under its head.</summary>
internal sealed class SmolLm3(SmolLm3Config config, double dropout)
    : PreNormDecoder("SmolLM3", config, layer => new PreNormBlock(
        config.Width,
        config.NormEpsilon,
        new SmolLm3Attention(config, layer, dropout),
        new GatedMlp(config.Width, config.InnerWidth, config.Activation, config.HasMlpBias)))
{
    public override string SequenceClassificationClass => "SmolLM3ForSequenceClassification";
}
