using RewardModel.Checkpoints;
using RewardModel.Layers;
using RewardModel.Packing;
using TorchSharp.Modules;
using static TorchSharp.torch;
using Linear = RewardModel.Layers.Linear;

namespace RewardModel.Backbones;

// Qwen1.5's and Qwen2's mixtures of experts (Yang et al., arXiv 2407.10671). Differences from Llama: biases on queries, keys and values only,
// a sliding window in some layers, where one is switched on, and in most layers experts in the place of the MLP: each token goes through
// some of them, and through one that all tokens share, whose result has a gate.
//
// T tokens, R of them computed in the layer, D width, N query heads, M key and value heads, H size of a head, E experts.

internal sealed record Qwen2MoeConfig : PreNormConfig
{
    public required bool HasProjectionBias { get; init; }

    public required AttentionReach[] ReachByLayer { get; init; }

    public required ExpertShape Experts { get; init; }

    public required int ExpertWidth { get; init; }

    public required bool NormalizesShares { get; init; }

    public required bool[] HasExperts { get; init; }

    public override LayerShape LayerShape => Shape(HasExperts.Contains(true));

    public override LayerShape LayerShapeOf(int layer) => Shape(HasExperts[layer]);

    private LayerShape Shape(bool hasExperts) => new(
        Width,
        new AttentionShape(HeadCount, KeyHeadCount, HeadSize) { IsRotated = true },
        new MlpShape(hasExperts ? ExpertWidth : InnerWidth, Activation) { IsGated = true, Experts = hasExperts ? Experts : null });

    public static Qwen2MoeConfig Read(ConfigReader reader)
    {
        var width = reader.Size("hidden_size");
        var layerCount = CommonSettings.LayerCount(reader);
        var headCount = reader.Size("num_attention_heads");
        var headSize = reader.Size("head_dim", headCount > 0 ? width / headCount : 0);
        var config = new Qwen2MoeConfig
        {
            VocabularySize = CommonSettings.VocabularySize(reader),
            Width = width,
            InnerWidth = CommonSettings.InnerWidth(reader),
            LayerCount = layerCount,
            HeadCount = headCount,
            KeyHeadCount = reader.IntOrNull("num_key_value_heads", 16) ?? headCount,
            HeadSize = headSize,
            Activation = reader.OneOf("hidden_act", ActivationFunction.Names, "silu"),
            NormEpsilon = CommonSettings.NormEpsilon(reader, "rms_norm_eps", 1e-6),
            HasProjectionBias = reader.Bool("qkv_bias", true),
            // Every second layer below max_window_layers.
            ReachByLayer = CommonSettings.ReachByLayer(reader, layerCount, (layer, bound) => layer % 2 == 0 && layer < bound),
            InitializerRange = CommonSettings.InitializerRange(reader),
            Rotary = RotaryFrequencies.Read(reader, headSize, CommonSettings.Positions(reader, 32768)),
            Experts = CommonSettings.Experts(reader, ["num_experts"], (60, 4)) with
            {
                SharedInnerWidth = reader.Size("shared_expert_intermediate_size", 5632, ConfigLimits.InnerWidth),
            },
            ExpertWidth = reader.Size("moe_intermediate_size", 1408, ConfigLimits.InnerWidth),
            NormalizesShares = reader.Bool("norm_topk_prob", false),
            HasExperts = CommonSettings.HasExperts(reader, layerCount),
        };
        reader.Ignore("attention_dropout");
        // A language model's loss can have a term for even use of the experts; a reward has none.
        reader.Ignore("output_router_logits", "router_aux_loss_coef");
        CommonSettings.CheckHeads(reader, headCount, config.KeyHeadCount, config.HeadSize);
        reader.Finish();
        return config;
    }
}

internal sealed class Qwen2MoeAttention : RotaryAttention
{
    private readonly Linear q_proj;
    private readonly Linear k_proj;
    private readonly Linear v_proj;
    private readonly Linear o_proj;
    private readonly Qwen2MoeConfig config;
    private readonly AttentionReach reach;
    private readonly double dropout;

    public Qwen2MoeAttention(Qwen2MoeConfig config, int layer, double dropout) : base(nameof(Qwen2MoeAttention))
    {
        this.config = config;
        reach = config.ReachByLayer[layer];
        this.dropout = dropout;
        q_proj = new Linear(config.Width, config.HeadCount * config.HeadSize, config.HasProjectionBias);
        k_proj = new Linear(config.Width, config.KeyHeadCount * config.HeadSize, config.HasProjectionBias);
        v_proj = new Linear(config.Width, config.KeyHeadCount * config.HeadSize, config.HasProjectionBias);
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

internal sealed class Qwen2MoeMlp : nn.Module<Tensor, Tensor>
{
    private readonly Router gate;
    private readonly ModuleList<GatedMlp> experts;
    private readonly GatedMlp shared_expert;
    private readonly Linear shared_expert_gate;
    private readonly Qwen2MoeConfig config;

    public Qwen2MoeMlp(Qwen2MoeConfig config) : base(nameof(Qwen2MoeMlp))
    {
        this.config = config;
        gate = new Router(config.Width, config.Experts.Count);
        experts = nn.ModuleList([.. Enumerable.Range(0, (int)config.Experts.Count)
            .Select(_ => new GatedMlp(config.Width, config.ExpertWidth, config.Activation, hasBias: false))]);
        shared_expert = new GatedMlp(config.Width, config.Experts.SharedInnerWidth, config.Activation, hasBias: false);
        shared_expert_gate = new Linear(config.Width, 1, hasBias: false);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x_RD)
    {
        var chosen_RD = ExpertRoutes.OfShares(gate.call(x_RD), config.Experts.Chosen, config.NormalizesShares)
            .Through(x_RD, (expert, x_AD) => experts[expert].call(x_AD));
        var gate_R1 = shared_expert_gate.call(x_RD);
        // libtorch computes what is left over of whole vectors, at the end of all numbers, by other instructions.
        var share_R1 = gate.IsBatchInvariant && !is_grad_enabled() ? cat([.. gate_R1.split(1).Select(row => row.sigmoid())]) : gate_R1.sigmoid();
        return chosen_RD.add(shared_expert.call(x_RD).mul(share_R1));
    }
}

/// <summary>Qwen2's mixtures of experts, as <c>Qwen2MoeForSequenceClassification</c> has them under its head.</summary>
internal sealed class Qwen2Moe(Qwen2MoeConfig config, double dropout)
    : PreNormDecoder("Qwen2Moe", config, layer => new PreNormBlock(
        config.Width,
        config.NormEpsilon,
        new Qwen2MoeAttention(config, layer, dropout),
        config.HasExperts[layer]
            ? new Qwen2MoeMlp(config)
            : new GatedMlp(config.Width, config.InnerWidth, config.Activation, hasBias: false)))
{
    public override string SequenceClassificationClass => "Qwen2MoeForSequenceClassification";
}
