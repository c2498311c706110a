using RewardModel.Checkpoints;
using RewardModel.Layers;
using RewardModel.Packing;
using static TorchSharp.torch;

namespace RewardModel.Backbones;

// Mistral 7B (Jiang et al., arXiv 2310.06825). Differences from Llama: a token may see only the last tokens of a sliding window, and
// there are no biases.
//
// T tokens, R of them computed in the layer, D width, N query heads, M key and value heads, H size of a head.

internal sealed record MistralConfig : PreNormConfig
{
    public required AttentionReach Reach { get; init; }

    public static MistralConfig Read(ConfigReader reader)
    {
        var width = reader.Size("hidden_size");
        var headCount = reader.Size("num_attention_heads");
        var headSize = reader.Size("head_dim", headCount > 0 ? width / headCount : 0);
        var config = new MistralConfig
        {
            VocabularySize = reader.Size("vocab_size"),
            Width = width,
            InnerWidth = reader.Size("intermediate_size"),
            LayerCount = reader.LayerCount("num_hidden_layers"),
            HeadCount = headCount,
            KeyHeadCount = reader.IntOrNull("num_key_value_heads", 8) ?? headCount,
            HeadSize = headSize,
            Activation = reader.OneOf("hidden_act", ActivationFunction.Names, "silu"),
            NormEpsilon = reader.Double("rms_norm_eps", 1e-6),
            Reach = CommonSettings.Reach(reader, reader.IntOrNull("sliding_window", 4096)),
            InitializerRange = reader.Double("initializer_range", 0.02),
            Rotary = RotaryFrequencies.Read(reader, headSize, reader.Size("max_position_embeddings", 131072)),
        };
        reader.Ignore("attention_dropout");
        CommonSettings.CheckHeads(reader, headCount, config.KeyHeadCount);
        CommonSettings.CheckLayerTypes(reader, config.LayerCount, config.Reach);
        reader.Finish();
        return config;
    }
}

internal sealed class MistralAttention : RotaryAttention
{
    private readonly Linear q_proj;
    private readonly Linear k_proj;
    private readonly Linear v_proj;
    private readonly Linear o_proj;
    private readonly MistralConfig config;
    private readonly double dropout;

    public MistralAttention(MistralConfig config, double dropout) : base(nameof(MistralAttention))
    {
        this.config = config;
        this.dropout = dropout;
        q_proj = new Linear(config.Width, config.HeadCount * config.HeadSize, hasBias: false);
        k_proj = new Linear(config.Width, config.KeyHeadCount * config.HeadSize, hasBias: false);
        v_proj = new Linear(config.Width, config.KeyHeadCount * config.HeadSize, hasBias: false);
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
            Reach = config.Reach,
            Precision = o_proj.Precision,
        };
        return o_proj.call(Attention.Apply(q_RNH, k_TMH, v_TMH, rows, options));
    }
}

/// <summary>Mistral, as <c>MistralForSequenceClassification</c> has it under its head.</summary>
internal sealed class Mistral(MistralConfig config, double dropout)
    : PreNormDecoder("Mistral", config, _ => new PreNormBlock(
        config.Width,
        config.NormEpsilon,
        new MistralAttention(config, dropout),
        new GatedMlp(config.Width, config.InnerWidth, config.Activation, hasBias: false)))
{
    public override string SequenceClassificationClass => "MistralForSequenceClassification";

    internal override LayerShape LayerShape { get; } = new(
        config.Width,
        new AttentionShape(config.HeadCount, config.KeyHeadCount, config.HeadSize) { IsRotated = true },
        new MlpShape(config.InnerWidth, config.Activation) { IsGated = true });
}
