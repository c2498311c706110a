using RewardModel.Checkpoints;
using RewardModel.Layers;
using RewardModel.Packing;
using static TorchSharp.torch;

namespace RewardModel.Backbones;

// Phi-3 (Abdin et al., arXiv 2404.14219), also Phi-4's and Phi-4-mini's. Differences from Llama: one projection for q, k and v, one for
// the MLP's gate and up, dropout on what a layer adds, a sliding window, and with longrope other rotary angles and only a part of a
// head's channels rotated.
//
// T tokens, R of them computed in the layer, D width, N query heads, M key and value heads, H size of a head.

internal sealed record Phi3Config : PreNormConfig
{
    public required AttentionReach Reach { get; init; }

    public static Phi3Config Read(ConfigReader reader)
    {
        var width = reader.Size("hidden_size");
        var headCount = reader.Size("num_attention_heads");
        var headSize = reader.Size("head_dim", headCount > 0 ? width / headCount : 0);
        var spelling = new RotarySpelling
        {
            ShareKey = "partial_rotary_factor",
            OriginalPositions = reader.Int("original_max_position_embeddings", 4096),
            // The first files said su or yarn for what is longrope.
            Types = new Dictionary<string, string>
            {
                ["default"] = "default",
                ["longrope"] = "longrope",
                ["su"] = "longrope",
                ["yarn"] = "longrope",
            },
        };
        var config = new Phi3Config
        {
            VocabularySize = reader.Size("vocab_size"),
            Width = width,
            InnerWidth = reader.Size("intermediate_size"),
            LayerCount = reader.LayerCount("num_hidden_layers"),
            HeadCount = headCount,
            KeyHeadCount = reader.Int("num_key_value_heads", headCount),
            HeadSize = headSize,
            Activation = reader.OneOf("hidden_act", ActivationFunction.Names, "silu"),
            NormEpsilon = reader.Double("rms_norm_eps", 1e-5),
            Reach = CommonSettings.Reach(reader, reader.OptionalInt("sliding_window")),
            InitializerRange = reader.Double("initializer_range", 0.02),
            Rotary = RotaryFrequencies.Read(reader, headSize, reader.Size("max_position_embeddings", 4096), spelling),
        };
        reader.MustBe("attention_bias", supported: false);
        reader.MustBe("mlp_bias", supported: false);
        // auto_map names the code that Phi-3 had before transformers did; what Phi-4-mini's file has after it, transformers never reads.
        reader.Ignore("attention_dropout", "resid_pdrop", "embd_pdrop");
        reader.Ignore("auto_map", "lm_head_bias", "full_attn_mod", "interpolate_factor");
        CommonSettings.CheckHeads(reader, headCount, config.KeyHeadCount);
        CommonSettings.CheckLayerTypes(reader, config.LayerCount, config.Reach);
        reader.Finish();
        return config;
    }
}

internal sealed class Phi3Attention : RotaryAttention
{
    private readonly Linear qkv_proj;
    private readonly Linear o_proj;
    private readonly Phi3Config config;
    private readonly double dropout;

    public Phi3Attention(Phi3Config config, double dropout) : base(nameof(Phi3Attention))
    {
        this.config = config;
        this.dropout = dropout;
        qkv_proj = new Linear(config.Width, (config.HeadCount + 2 * config.KeyHeadCount) * config.HeadSize, hasBias: false);
        o_proj = new Linear(config.HeadCount * config.HeadSize, config.Width, hasBias: false);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x_TD, QueryRows rows, (Tensor Cos, Tensor Sin) angles)
    {
        // All query heads, then all key heads, then all value heads.
        var qkv = qkv_proj.call(x_TD).view(-1, config.HeadCount + 2 * config.KeyHeadCount, config.HeadSize);
        var q_RNH = RotaryEmbedding.Rotate(rows.Of(qkv.narrow(1, 0, config.HeadCount)), rows.Of(angles));
        var k_TMH = RotaryEmbedding.Rotate(qkv.narrow(1, config.HeadCount, config.KeyHeadCount), angles);
        var v_TMH = qkv.narrow(1, config.HeadCount + config.KeyHeadCount, config.KeyHeadCount);
        var options = new AttentionOptions(1 / Math.Sqrt(config.HeadSize))
        {
            Dropout = training ? dropout : 0,
            Reach = config.Reach,
            Precision = o_proj.Precision,
        };
        return Dropout.Apply(o_proj.call(Attention.Apply(q_RNH, k_TMH, v_TMH, rows, options)), dropout, training);
    }
}

internal sealed class Phi3Mlp : nn.Module<Tensor, Tensor>
{
    private readonly Linear gate_up_proj;
    private readonly Linear down_proj;
    private readonly ActivationFunction activation;
    private readonly double dropout;

    public Phi3Mlp(Phi3Config config, double dropout) : base(nameof(Phi3Mlp))
    {
        this.dropout = dropout;
        gate_up_proj = new Linear(config.Width, 2 * config.InnerWidth, hasBias: false);
        down_proj = new Linear(config.InnerWidth, config.Width, hasBias: false);
        activation = ActivationFunction.Named(config.Activation);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x_TD)
    {
        var gateUp = gate_up_proj.call(x_TD);
        var inner = gateUp.size(1) / 2;
        var down = down_proj.After(activation, gateUp.narrow(1, 0, inner), gateUp.narrow(1, inner, inner));
        return Dropout.Apply(down, dropout, training);
    }
}

/// <summary>Phi-3, as <c>Phi3ForSequenceClassification</c> has it under its head.</summary>
/// <remarks>
/// With longrope, transformers takes other rotary angles for all sequences of a batch as soon as one of them is longer than
/// <c>original_max_position_embeddings</c>. A reward must not depend on the rest of its batch: here the model takes at most that many
/// tokens, and its angles are always those of short sequences.
/// </remarks>
internal sealed class Phi3(Phi3Config config, double dropout)
    : PreNormDecoder("Phi-3", config, _ => new PreNormBlock(
        config.Width,
        config.NormEpsilon,
        new Phi3Attention(config, dropout),
        new Phi3Mlp(config, dropout)))
{
    public override string SequenceClassificationClass => "Phi3ForSequenceClassification";

    internal override LayerShape LayerShape { get; } = new(
        config.Width,
        new AttentionShape(config.HeadCount, config.KeyHeadCount, config.HeadSize) { IsFused = true, IsRotated = true },
        new MlpShape(config.InnerWidth, config.Activation) { IsGated = true, IsFused = true });
}
