using RewardModel.Checkpoints;
using RewardModel.Layers;
using RewardModel.Packing;
using static TorchSharp.torch;

namespace RewardModel.Backbones;

// Qwen2 (Yang et al., arXiv 2407.10671). Differences from Llama: biases on queries, keys and values only, and a sliding window in some
// layers, where one is switched on.
//
// T tokens, R of them computed in the layer, D width, N query heads, M key and value heads, H size of a head.

internal sealed record Qwen2Config : PreNormConfig
{
    public required AttentionReach[] ReachByLayer { get; init; }

    public static Qwen2Config Read(ConfigReader reader)
    {
        var width = reader.Size("hidden_size");
        var layerCount = reader.LayerCount("num_hidden_layers");
        var headCount = reader.Size("num_attention_heads");
        var headSize = reader.Size("head_dim", headCount > 0 ? width / headCount : 0);
        var config = new Qwen2Config
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
            ReachByLayer = CommonSettings.ReachByLayer(reader, layerCount),
            InitializerRange = reader.Double("initializer_range", 0.02),
            Rotary = RotaryFrequencies.Read(reader, headSize, reader.Size("max_position_embeddings", 32768)),
        };
        reader.Ignore("attention_dropout");
        // Positions in pictures.
        reader.MustBe("use_mrope", supported: false);
        CommonSettings.CheckHeads(reader, headCount, config.KeyHeadCount);
        reader.Finish();
        return config;
    }
}

internal sealed class Qwen2Attention : RotaryAttention
{
    private readonly Linear q_proj;
    private readonly Linear k_proj;
    private readonly Linear v_proj;
    private readonly Linear o_proj;
    private readonly Qwen2Config config;
    private readonly AttentionReach reach;
    private readonly double dropout;

    public Qwen2Attention(Qwen2Config config, int layer, double dropout) : base(nameof(Qwen2Attention))
    {
        this.config = config;
        reach = config.ReachByLayer[layer];
        this.dropout = dropout;
        q_proj = new Linear(config.Width, config.HeadCount * config.HeadSize, hasBias: true);
        k_proj = new Linear(config.Width, config.KeyHeadCount * config.HeadSize, hasBias: true);
        v_proj = new Linear(config.Width, config.KeyHeadCount * config.HeadSize, hasBias: true);
        o_proj = new Linear(config.HeadCount * config.HeadSize, config.Width, hasBias: false);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x_TD, QueryRows rows, (Tensor Cos, Tensor Sin) angles)
    {
        var q_RNH = RotaryEmbedding.Rotate(q_proj.call(rows.Of(x_TD)).view(-1, config.HeadCount, config.HeadSize), rows.Of(angles));
        var k_TMH = RotaryEmbedding.Rotate(k_proj.call(x_TD).view(-1, config.KeyHeadCount, config.HeadSize), angles);
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

/// <summary>Qwen2, as <c>Qwen2ForSequenceClassification</c> has it under its head.</summary>
internal sealed class Qwen2(Qwen2Config config, double dropout)
    : PreNormDecoder("Qwen2", config, layer => new PreNormBlock(
        config.Width,
        config.NormEpsilon,
        new Qwen2Attention(config, layer, dropout),
        new GatedMlp(config.Width, config.InnerWidth, config.Activation, hasBias: false)))
{
    public override string SequenceClassificationClass => "Qwen2ForSequenceClassification";

    internal override LayerShape LayerShape { get; } = new(
        config.Width,
        new AttentionShape(config.HeadCount, config.KeyHeadCount, config.HeadSize) { IsRotated = true },
        new MlpShape(config.InnerWidth, config.Activation) { IsGated = true });
}
