using RewardModel.Checkpoints;
using RewardModel.Layers;
using RewardModel.Packing;
using TorchSharp.Modules;
using static TorchSharp.torch;
using Linear = RewardModel.Layers.Linear;

namespace RewardModel.Backbones;

// Mixtral (Jiang et al., arXiv 2401.04088). Differences from Llama: the MLP is one of experts, of which each token goes through some; its
// names are others; a token may see only the last tokens of a sliding window, where there is one; there are no biases.
//
// T tokens, R of them computed in the layer, D width, N query heads, M key and value heads, H size of a head, E experts.

internal sealed record MixtralConfig : PreNormConfig
{
    public required AttentionReach Reach { get; init; }

    public required ExpertShape Experts { get; init; }

    public override LayerShape LayerShape => new(
        Width,
        new AttentionShape(HeadCount, KeyHeadCount, HeadSize) { IsRotated = true },
        new MlpShape(InnerWidth, Activation) { IsGated = true, Experts = Experts });

    public static MixtralConfig Read(ConfigReader reader)
    {
        var width = reader.Size("hidden_size");
        var headCount = reader.Size("num_attention_heads");
        var headSize = reader.Size("head_dim", headCount > 0 ? width / headCount : 0);
        var config = new MixtralConfig
        {
            VocabularySize = CommonSettings.VocabularySize(reader),
            Width = width,
            InnerWidth = CommonSettings.InnerWidth(reader),
            LayerCount = CommonSettings.LayerCount(reader),
            HeadCount = headCount,
            KeyHeadCount = reader.IntOrNull("num_key_value_heads", 8) ?? headCount,
            HeadSize = headSize,
            Activation = reader.OneOf("hidden_act", ActivationFunction.Names, "silu"),
            NormEpsilon = CommonSettings.NormEpsilon(reader, "rms_norm_eps", 1e-5),
            Reach = CommonSettings.Reach(reader, reader.OptionalInt("sliding_window")),
            InitializerRange = CommonSettings.InitializerRange(reader),
            Rotary = RotaryFrequencies.Read(
                reader, headSize, CommonSettings.Positions(reader, 131072), new RotarySpelling { AbsentBase = 1e6 }),
            Experts = CommonSettings.Experts(reader, ["num_local_experts", "num_experts"], (8, 2)),
        };
        reader.Ignore("attention_dropout");
        // A language model's loss can have a term for even use of the experts; a reward has none.
        reader.Ignore("output_router_logits", "router_aux_loss_coef");
        // Noise on what experts and their router take in training.
        reader.MustBe("router_jitter_noise", supported: 0);
        CommonSettings.CheckHeads(reader, headCount, config.KeyHeadCount, config.HeadSize);
        CommonSettings.CheckLayerTypes(reader, config.LayerCount, config.Reach);
        reader.Finish();
        return config;
    }
}

internal sealed class MixtralAttention : RotaryAttention
{
    private readonly Linear q_proj;
    private readonly Linear k_proj;
    private readonly Linear v_proj;
    private readonly Linear o_proj;
    private readonly MixtralConfig config;
    private readonly double dropout;

    public MixtralAttention(MixtralConfig config, double dropout) : base(nameof(MixtralAttention))
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

internal sealed class MixtralExpert : nn.Module<Tensor, Tensor>
{
    // Gate, down and up.
    private readonly Linear w1;
    private readonly Linear w2;
    private readonly Linear w3;
    private readonly ActivationFunction activation;

    public MixtralExpert(MixtralConfig config) : base(nameof(MixtralExpert))
    {
        w1 = new Linear(config.Width, config.InnerWidth, hasBias: false);
        w2 = new Linear(config.InnerWidth, config.Width, hasBias: false);
        w3 = new Linear(config.Width, config.InnerWidth, hasBias: false);
        activation = ActivationFunction.Named(config.Activation);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x_AD) => w2.After(activation, w1.call(x_AD), w3.call(x_AD));
}

internal sealed class MixtralMlp : nn.Module<Tensor, Tensor>
{
    private readonly Router gate;
    private readonly ModuleList<MixtralExpert> experts;
    private readonly MixtralConfig config;

    public MixtralMlp(MixtralConfig config) : base(nameof(MixtralMlp))
    {
        this.config = config;
        gate = new Router(config.Width, config.Experts.Count);
        experts = nn.ModuleList([.. Enumerable.Range(0, (int)config.Experts.Count).Select(_ => new MixtralExpert(config))]);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x_RD) => ExpertRoutes.OfShares(gate.call(x_RD), config.Experts.Chosen, isNormalized: true)
        .Through(x_RD, (expert, x_AD) => experts[expert].call(x_AD));
}

internal sealed class MixtralBlock : RotaryBlock
{
    private readonly RmsNorm input_layernorm;
    private readonly MixtralAttention self_attn;
    private readonly RmsNorm post_attention_layernorm;
    private readonly MixtralMlp block_sparse_moe;

    public MixtralBlock(MixtralConfig config, double dropout) : base(nameof(MixtralBlock))
    {
        input_layernorm = new RmsNorm(config.Width, config.NormEpsilon);
        self_attn = new MixtralAttention(config, dropout);
        post_attention_layernorm = new RmsNorm(config.Width, config.NormEpsilon);
        block_sparse_moe = new MixtralMlp(config);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x_TD, QueryRows rows, (Tensor Cos, Tensor Sin) angles)
    {
        using var scope = NewDisposeScope();
        var (residual_TD, normed_TD) = input_layernorm.Fork(x_TD);
        var x_RD = Residual.Add(rows.Of(residual_TD), self_attn.forward(normed_TD, rows, angles));
        var (residual_RD, normed_RD) = post_attention_layernorm.Fork(x_RD);
        return Residual.Add(residual_RD, block_sparse_moe.call(normed_RD)).MoveToOuterDisposeScope();
    }
}

/// <summary>Mixtral, as <c>MixtralForSequenceClassification</c> has it under its head.</summary>
internal sealed class Mixtral(MixtralConfig config, double dropout)
    : PreNormDecoder("Mixtral", config, _ => new MixtralBlock(config, dropout))
{
    public override string SequenceClassificationClass => "MixtralForSequenceClassification";
}
