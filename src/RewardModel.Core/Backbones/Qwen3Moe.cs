using RewardModel.Checkpoints;
using RewardModel.Layers;
using RewardModel.Packing;
using TorchSharp.Modules;
using static TorchSharp.torch;
using Linear = RewardModel.Layers.Linear;

namespace RewardModel.Backbones;

// Qwen3's mixtures of experts (Yang et al., arXiv 2505.09388). Differences from Llama: every head's queries and keys are normed before they
// are rotated, a head's size is a setting of its own, a window, where one is switched on, is that of all layers, and most layers have
// experts in the place of the MLP, of which each token goes through some.
//
// T tokens, R of them computed in the layer, D width, N query heads, M key and value heads, H size of a head, E experts.

internal sealed record Qwen3MoeConfig : PreNormConfig
{
    public required bool HasAttentionBias { get; init; }

    public required AttentionReach Reach { get; init; }

    public required ExpertShape Experts { get; init; }

    public required int ExpertWidth { get; init; }

    public required bool NormalizesShares { get; init; }

    public required bool[] HasExperts { get; init; }

    public override LayerShape LayerShape => Shape(HasExperts.Contains(true));

    public override LayerShape LayerShapeOf(int layer) => Shape(HasExperts[layer]);

    private LayerShape Shape(bool hasExperts) => new(
        Width,
        new AttentionShape(HeadCount, KeyHeadCount, HeadSize) { IsRotated = true, HasNorms = true },
        new MlpShape(hasExperts ? ExpertWidth : InnerWidth, Activation) { IsGated = true, Experts = hasExperts ? Experts : null });

    public static Qwen3MoeConfig Read(ConfigReader reader)
    {
        var width = reader.Size("hidden_size");
        var layerCount = CommonSettings.LayerCount(reader);
        var headCount = reader.Size("num_attention_heads");
        var headSize = reader.Size("head_dim", headCount > 0 ? width / headCount : 0);
        var window = reader.IntOrNull("sliding_window", 4096);
        var config = new Qwen3MoeConfig
        {
            VocabularySize = CommonSettings.VocabularySize(reader),
            Width = width,
            InnerWidth = CommonSettings.InnerWidth(reader),
            LayerCount = layerCount,
            HeadCount = headCount,
            KeyHeadCount = reader.Int("num_key_value_heads", 4),
            HeadSize = headSize,
            Activation = reader.OneOf("hidden_act", ActivationFunction.Names, "silu"),
            NormEpsilon = CommonSettings.NormEpsilon(reader, "rms_norm_eps", 1e-6),
            HasAttentionBias = reader.Bool("attention_bias", false),
            Reach = CommonSettings.Reach(reader, reader.Bool("use_sliding_window", false) ? window : null),
            InitializerRange = CommonSettings.InitializerRange(reader),
            Rotary = RotaryFrequencies.Read(reader, headSize, CommonSettings.Positions(reader, 32768)),
            Experts = CommonSettings.Experts(reader, ["num_experts", "num_local_experts"], (128, 8)),
            ExpertWidth = reader.Size("moe_intermediate_size", 768, ConfigLimits.InnerWidth),
            NormalizesShares = reader.Bool("norm_topk_prob", false),
            HasExperts = CommonSettings.HasExperts(reader, layerCount),
        };
        reader.Ignore("attention_dropout");
        // The window is that of all layers, whatever this says.
        reader.Ignore("max_window_layers");
        // A language model's loss can have a term for even use of the experts; a reward has none.
        reader.Ignore("output_router_logits", "router_aux_loss_coef");
        CommonSettings.CheckHeads(reader, headCount, config.KeyHeadCount, config.HeadSize);
        CommonSettings.CheckLayerTypes(reader, layerCount, config.Reach);
        reader.Finish();
        return config;
    }
}

internal sealed class Qwen3MoeAttention : RotaryAttention
{
    private readonly Linear q_proj;
    private readonly Linear k_proj;
    private readonly Linear v_proj;
    private readonly Linear o_proj;
    private readonly RmsNorm q_norm;
    private readonly RmsNorm k_norm;
    private readonly Qwen3MoeConfig config;
    private readonly double dropout;

    public Qwen3MoeAttention(Qwen3MoeConfig config, double dropout) : base(nameof(Qwen3MoeAttention))
    {
        this.config = config;
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
            Reach = config.Reach,
            Precision = o_proj.Precision,
        };
        return o_proj.call(Attention.Apply(q_RNH, k_TMH, v_TMH, rows, options));
    }
}

internal sealed class Qwen3MoeMlp : nn.Module<Tensor, Tensor>
{
    private readonly Router gate;
    private readonly ModuleList<GatedMlp> experts;
    private readonly Qwen3MoeConfig config;

    public Qwen3MoeMlp(Qwen3MoeConfig config) : base(nameof(Qwen3MoeMlp))
    {
        this.config = config;
        gate = new Router(config.Width, config.Experts.Count);
        experts = nn.ModuleList([.. Enumerable.Range(0, (int)config.Experts.Count)
            .Select(_ => new GatedMlp(config.Width, config.ExpertWidth, config.Activation, hasBias: false))]);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x_RD) => ExpertRoutes.OfShares(gate.call(x_RD), config.Experts.Chosen, config.NormalizesShares)
        .Through(x_RD, (expert, x_AD) => experts[expert].call(x_AD));
}

/// <summary>Qwen3's mixtures of experts, as <c>Qwen3MoeForSequenceClassification</c> has them under its head.</summary>
internal sealed class Qwen3Moe(Qwen3MoeConfig config, double dropout)
    : PreNormDecoder("Qwen3Moe", config, layer => new PreNormBlock(
        config.Width,
        config.NormEpsilon,
        new Qwen3MoeAttention(config, dropout),
        config.HasExperts[layer]
            ? new Qwen3MoeMlp(config)
            : new GatedMlp(config.Width, config.InnerWidth, config.Activation, hasBias: false)))
{
    public override string SequenceClassificationClass => "Qwen3MoeForSequenceClassification";
}
