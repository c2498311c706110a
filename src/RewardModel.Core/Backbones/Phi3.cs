using RewardModel.Checkpoints;
using RewardModel.Layers;
using TorchSharp;
using static TorchSharp.torch;
using Phi3Blocks = TorchSharp.Modules.ModuleList<RewardModel.Backbones.Phi3Block>;

namespace RewardModel.Backbones;

// Phi-3 (Abdin et al., arXiv 2404.14219), also Phi-4's and Phi-4-mini's. Differences from Llama: one projection for q, k and v, one for
// the MLP's gate and up, dropout on what a layer adds, a sliding window, and with longrope other rotary angles and only a part of a
// head's channels rotated.
//
// T tokens, R of them computed in the layer, D width, N query heads, M key and value heads, H size of a head.

internal sealed record Phi3Config
{
    public required int VocabularySize { get; init; }

    public required int Width { get; init; }

    public required int InnerWidth { get; init; }

    public required int LayerCount { get; init; }

    public required int HeadCount { get; init; }

    public required int KeyHeadCount { get; init; }

    public required int HeadSize { get; init; }

    public required string Activation { get; init; }

    public required double NormEpsilon { get; init; }

    public required AttentionReach Reach { get; init; }

    public required double InitializerRange { get; init; }

    public required RotarySettings Rotary { get; init; }

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
            LayerCount = reader.Int("num_hidden_layers"),
            HeadCount = headCount,
            KeyHeadCount = reader.Int("num_key_value_heads", headCount),
            HeadSize = headSize,
            Activation = reader.OneOf("hidden_act", Activations.Names, "silu"),
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
        reader.Finish();
        return config;
    }
}

internal sealed class Phi3Attention : nn.Module
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

    public Tensor forward(Tensor x_TD, QueryRows rows, (Tensor Cos, Tensor Sin) angles)
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
        return o_proj.call(Attention.Apply(q_RNH, k_TMH, v_TMH, rows, options));
    }
}

internal sealed class Phi3Mlp : nn.Module<Tensor, Tensor>
{
    private readonly Linear gate_up_proj;
    private readonly Linear down_proj;
    private readonly Func<Tensor, Tensor, Tensor> gated;

    public Phi3Mlp(Phi3Config config) : base(nameof(Phi3Mlp))
    {
        gate_up_proj = new Linear(config.Width, 2 * config.InnerWidth, hasBias: false);
        down_proj = new Linear(config.InnerWidth, config.Width, hasBias: false);
        gated = Activations.Gated(config.Activation);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x_TD)
    {
        var gateUp = gate_up_proj.call(x_TD);
        var inner = gateUp.size(1) / 2;
        return down_proj.call(gated(gateUp.narrow(1, 0, inner), gateUp.narrow(1, inner, inner)));
    }
}

internal sealed class Phi3Block : nn.Module
{
    private readonly RmsNorm input_layernorm;
    private readonly Phi3Attention self_attn;
    private readonly RmsNorm post_attention_layernorm;
    private readonly Phi3Mlp mlp;
    private readonly double dropout;

    public Phi3Block(Phi3Config config, double dropout) : base(nameof(Phi3Block))
    {
        this.dropout = dropout;
        input_layernorm = new RmsNorm(config.Width, config.NormEpsilon);
        self_attn = new Phi3Attention(config, dropout);
        post_attention_layernorm = new RmsNorm(config.Width, config.NormEpsilon);
        mlp = new Phi3Mlp(config);
        RegisterComponents();
    }

    public Tensor forward(Tensor x_TD, QueryRows rows, (Tensor Cos, Tensor Sin) angles)
    {
        using var scope = NewDisposeScope();
        var attended_RD = self_attn.forward(input_layernorm.call(x_TD), rows, angles);
        var x_RD = rows.Of(x_TD).add(Dropout.Apply(attended_RD, dropout, training));
        x_RD = x_RD.add(Dropout.Apply(mlp.call(post_attention_layernorm.call(x_RD)), dropout, training));
        return x_RD.MoveToOuterDisposeScope();
    }
}

/// <summary>Phi-3, as <c>Phi3ForSequenceClassification</c> has it under its head.</summary>
/// <remarks>
/// With longrope, transformers takes other rotary angles for all sequences of a batch as soon as one of them is longer than
/// <c>original_max_position_embeddings</c>. A reward must not depend on the rest of its batch: here the model takes at most that many
/// tokens, and its angles are always those of short sequences.
/// </remarks>
internal sealed class Phi3 : Backbone
{
    private readonly Embedding embed_tokens;
    private readonly Phi3Blocks layers;
    private readonly RmsNorm norm;
    private readonly RotaryEmbedding rotary;
    private readonly Phi3Config config;

    public Phi3(Phi3Config config, double dropout) : base("Phi-3")
    {
        this.config = config;
        embed_tokens = new Embedding(config.VocabularySize, config.Width);
        layers = nn.ModuleList([.. Enumerable.Range(0, config.LayerCount).Select(_ => new Phi3Block(config, dropout))]);
        norm = new RmsNorm(config.Width, config.NormEpsilon);
        rotary = new RotaryEmbedding(config.Rotary);
        RegisterComponents();
    }

    public override int HiddenSize => config.Width;

    public override int VocabularySize => config.VocabularySize;

    public override int MaxPositions => config.Rotary.MaxPositions;

    public override string BaseModelPrefix => "model";

    public override string SequenceClassificationClass => "Phi3ForSequenceClassification";

    public override double InitializerRange => config.InitializerRange;

    private protected override Tensor HiddenStates(PackedSequences sequences, LayerPass pass)
    {
        var angles = rotary.AnglesOf(sequences);
        var x_TD = embed_tokens.call(sequences.TokenIds);
        x_TD = pass.Through(layers, x_TD, (layer, x_TD, rows) => layer.forward(x_TD, rows, angles));
        return norm.call(x_TD);
    }

    public override void InitializeWeights() => Initialization.Apply(this, config.InitializerRange);

    // Rotary frequencies, which old versions of transformers saved as buffers.
    internal override bool Ignores(string parameterName) => parameterName.EndsWith("rotary_emb.inv_freq", StringComparison.Ordinal);
}
