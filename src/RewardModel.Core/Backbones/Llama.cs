using RewardModel.Checkpoints;
using RewardModel.Layers;
using RewardModel.Packing;
using static TorchSharp.torch;

namespace RewardModel.Backbones;

// Llama (Touvron et al., arXiv 2302.13971), the plain case that other architectures are told apart from: rotary positions, RMS norms
// before attention and MLP, grouped key and value heads, a gated MLP with SiLU.
//
// T tokens, R of them computed in the layer, D width, N query heads, M key and value heads, H size of a head.

internal sealed record LlamaConfig : PreNormConfig
{
    public required bool HasAttentionBias { get; init; }

    public required bool HasMlpBias { get; init; }

    public static LlamaConfig Read(ConfigReader reader)
    {
        var width = reader.Size("hidden_size");
        var headCount = reader.Size("num_attention_heads");
        var headSize = reader.Size("head_dim", headCount > 0 ? width / headCount : 0);
        var config = new LlamaConfig
        {
            VocabularySize = reader.Size("vocab_size"),
            Width = width,
            InnerWidth = reader.Size("intermediate_size"),
            LayerCount = reader.LayerCount("num_hidden_layers"),
            HeadCount = headCount,
            KeyHeadCount = reader.Int("num_key_value_heads", headCount),
            HeadSize = headSize,
            Activation = reader.OneOf("hidden_act", ActivationFunction.Names, "silu"),
            NormEpsilon = reader.Double("rms_norm_eps", 1e-6),
            HasAttentionBias = reader.Bool("attention_bias", false),
            HasMlpBias = reader.Bool("mlp_bias", false),
            InitializerRange = reader.Double("initializer_range", 0.02),
            Rotary = RotaryFrequencies.Read(reader, headSize, reader.Size("max_position_embeddings", 2048)),
        };
        // pretraining_tp splits the same matrix products into slices.
        reader.Ignore("pretraining_tp", "attention_dropout");
        CommonSettings.CheckHeads(reader, headCount, config.KeyHeadCount);
        reader.Finish();
        return config;
    }
}

internal sealed class LlamaAttention : RotaryAttention
{
    private readonly Linear q_proj;
    private readonly Linear k_proj;
    private readonly Linear v_proj;
    private readonly Linear o_proj;
    private readonly LlamaConfig config;
    private readonly double dropout;

    public LlamaAttention(LlamaConfig config, double dropout) : base(nameof(LlamaAttention))
    {
        this.config = config;
        this.dropout = dropout;
        q_proj = new Linear(config.Width, config.HeadCount * config.HeadSize, config.HasAttentionBias);
        k_proj = new Linear(config.Width, config.KeyHeadCount * config.HeadSize, config.HasAttentionBias);
        v_proj = new Linear(config.Width, config.KeyHeadCount * config.HeadSize, config.HasAttentionBias);
        o_proj = new Linear(config.HeadCount * config.HeadSize, config.Width, config.HasAttentionBias);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x_TD, QueryRows rows, (Tensor Cos, Tensor Sin) angles)
    {
        var q_RNH = RotaryEmbedding.Rotate(
            q_proj.call(rows.Of(x_TD)).view(-1, config.HeadCount, config.HeadSize),
            rows.Of(angles));
        var k_TMH = RotaryEmbedding.Rotate(k_proj.call(x_TD).view(-1, config.KeyHeadCount, config.HeadSize), angles);
        var v_TMH = v_proj.call(x_TD).view(-1, config.KeyHeadCount, config.HeadSize);
        var options = new AttentionOptions(1 / Math.Sqrt(config.HeadSize))
        {
            Dropout = training ? dropout : 0,
            Precision = o_proj.Precision,
        };
        return o_proj.call(Attention.Apply(q_RNH, k_TMH, v_TMH, rows, options));
    }
}

/// <summary>Llama, as <c>LlamaForSequenceClassification</c> has it under its head.</summary>
internal sealed class Llama(LlamaConfig config, double dropout)
    : PreNormDecoder("Llama", config, _ => new PreNormBlock(
        config.Width,
        config.NormEpsilon,
        new LlamaAttention(config, dropout),
        new GatedMlp(config.Width, config.InnerWidth, config.Activation, config.HasMlpBias)))
{
    public override string SequenceClassificationClass => "LlamaForSequenceClassification";

    internal override LayerShape LayerShape { get; } = new(
        config.Width,
        new AttentionShape(config.HeadCount, config.KeyHeadCount, config.HeadSize) { IsRotated = true },
        new MlpShape(config.InnerWidth, config.Activation) { IsGated = true });
}
