using RewardModel.Checkpoints;
using RewardModel.Kernels;
using RewardModel.Layers;
using RewardModel.Packing;
using static TorchSharp.torch;
using AttentionShape = RewardModel.Layers.AttentionShape;
using Linear = RewardModel.Layers.Linear;
using Parameter = TorchSharp.Modules.Parameter;

namespace RewardModel.Backbones;

// gpt-oss (OpenAI, arXiv 2508.10925). Differences from Llama: each head has a sink, one more score in the softmax that has no value; a
// sliding window in every second layer; biases everywhere; experts in the place of the MLP, of which each token goes through some, weighed
// by the softmax of the chosen alone. The experts' matrices are [in, out] and those of a layer one tensor, gates and what they are
// multiplied with in it by turns; both are clamped.
//
// T tokens, R of them computed in the layer, A rows of an expert, D width, I inner width, N query heads, M key and value heads, H size of a
// head, E experts.

internal sealed record GptOssConfig : PreNormConfig
{
    public required bool HasAttentionBias { get; init; }

    public required AttentionReach[] ReachByLayer { get; init; }

    public required ExpertShape Experts { get; init; }

    public override LayerShape LayerShape => new(
        Width,
        new AttentionShape(HeadCount, KeyHeadCount, HeadSize) { IsRotated = true },
        new MlpShape(InnerWidth, Activation) { IsGated = true, IsFused = true, KeepsResult = true, Experts = Experts });

    public static GptOssConfig Read(ConfigReader reader)
    {
        var layerCount = CommonSettings.LayerCount(reader);
        var width = reader.Size("hidden_size");
        var headCount = reader.Size("num_attention_heads");
        var headSize = reader.IntOrNull("head_dim", 64) ?? (headCount > 0 ? width / headCount : 0);
        var reach = CommonSettings.Reach(reader, reader.IntOrNull("sliding_window", 128));
        var hasWindow = CommonSettings.HasWindow(reader, layerCount, layer => layer % 2 == 0);
        var config = new GptOssConfig
        {
            VocabularySize = CommonSettings.VocabularySize(reader),
            Width = width,
            InnerWidth = CommonSettings.InnerWidth(reader),
            LayerCount = layerCount,
            HeadCount = headCount,
            KeyHeadCount = reader.IntOrNull("num_key_value_heads", 8) ?? headCount,
            HeadSize = headSize,
            Activation = "silu",
            NormEpsilon = CommonSettings.NormEpsilon(reader, "rms_norm_eps", 1e-5),
            HasAttentionBias = reader.Bool("attention_bias", true),
            ReachByLayer = [.. hasWindow.Select(has => has ? reach : AttentionReach.Causal)],
            InitializerRange = CommonSettings.InitializerRange(reader),
            Rotary = RotaryFrequencies.Read(
                reader, headSize, CommonSettings.Positions(reader, 131072), new RotarySpelling { AbsentBase = 150000 }),
            Experts = CommonSettings.Experts(reader, ["num_local_experts", "num_experts"], (128, 4)),
        };
        // Without them the reference would take those of the published models, which say them.
        if (!reader.Has("rope_parameters") && !reader.Has("rope_scaling"))
            reader.Problem("rope_parameters and rope_scaling are missing; expected one of them");
        reader.Ignore("attention_dropout");
        // The experts' function has no other name.
        reader.Ignore("hidden_act");
        reader.MustBe("swiglu_limit", supported: 7);
        // The experts of a token under another name, and the length before rotary positions were stretched: their own settings are read.
        reader.Ignore("experts_per_token", "initial_context_length");
        // A language model's loss can have a term for even use of the experts; a reward has none.
        reader.Ignore("output_router_logits", "router_aux_loss_coef");
        CommonSettings.CheckHeads(reader, headCount, config.KeyHeadCount, headSize);
        reader.Finish();
        return config;
    }
}

internal sealed class GptOssAttention : RotaryAttention
{
    public readonly Parameter sinks;
    private readonly Linear q_proj;
    private readonly Linear k_proj;
    private readonly Linear v_proj;
    private readonly Linear o_proj;
    private readonly GptOssConfig config;
    private readonly AttentionReach reach;
    private readonly double dropout;

    public GptOssAttention(GptOssConfig config, int layer, double dropout) : base(nameof(GptOssAttention))
    {
        this.config = config;
        reach = config.ReachByLayer[layer];
        this.dropout = dropout;
        sinks = new Parameter(empty(config.HeadCount));
        q_proj = new Linear(config.Width, config.HeadCount * config.HeadSize, config.HasAttentionBias);
        k_proj = new Linear(config.Width, config.KeyHeadCount * config.HeadSize, config.HasAttentionBias);
        v_proj = new Linear(config.Width, config.KeyHeadCount * config.HeadSize, config.HasAttentionBias);
        o_proj = new Linear(config.HeadCount * config.HeadSize, config.Width, config.HasAttentionBias);
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
            Sinks_N = sinks,
        };
        return o_proj.call(Attention.Apply(q_RNH, k_TMH, v_TMH, rows, options));
    }
}

internal sealed class GptOssExperts : nn.Module
{
    // No setting says these, in the reference neither.
    private static readonly ClampedGateSettings gateSettings = new(Limit: 7, Slope: 1.702);

    public readonly Parameter gate_up_proj;
    public readonly Parameter gate_up_proj_bias;
    public readonly Parameter down_proj;
    public readonly Parameter down_proj_bias;

    public GptOssExperts(GptOssConfig config) : base(nameof(GptOssExperts))
    {
        gate_up_proj = new Parameter(empty(config.Experts.Count, config.Width, 2 * config.InnerWidth));
        gate_up_proj_bias = new Parameter(empty(config.Experts.Count, 2 * config.InnerWidth));
        down_proj = new Parameter(empty(config.Experts.Count, config.InnerWidth, config.Width));
        down_proj_bias = new Parameter(empty(config.Experts.Count, config.Width));
        RegisterComponents();
    }

    /// <param name="x_TD">[T, D].</param>
    /// <param name="routes">Which experts the tokens go through.</param>
    /// <param name="router">Knows how products are computed.</param>
    public Tensor forward(Tensor x_TD, ExpertRoutes routes, Router router)
    {
        // Of one division: apart, each matrix would have a gradient as large as all of them.
        var (gate_up_DI, down_ID) = (gate_up_proj.unbind(0), down_proj.unbind(0));
        var (gate_up_I, down_D) = (gate_up_proj_bias.unbind(0), down_proj_bias.unbind(0));
        var isInvariant = router.IsBatchInvariant && !is_grad_enabled();
        var precision = Bfloat16Support.Resolve(router.Precision, x_TD.device_type);
        return routes.Through(x_TD, (expert, x_AD) =>
        {
            var x_AI = Product(x_AD, gate_up_DI[expert], gate_up_I[expert]);
            // libtorch computes what is left over of whole vectors, at the end of all numbers, by other instructions.
            var gated_AI = isInvariant
                ? cat([.. x_AI.split(1).Select(row => ClampedGateKernel.Apply(gateSettings, row))])
                : ClampedGateKernel.Apply(gateSettings, x_AI);
            return Product(gated_AI, down_ID[expert], down_D[expert]);
        });

        Tensor Product(Tensor x, Tensor weight_IO, Tensor bias) => isInvariant
            ? InvariantProduct.Of(x, weight_IO.t(), bias)
            : precision == Precision.Float32 && x.device_type != TorchSharp.DeviceType.CPU ? nn.functional.linear(x, weight_IO.t(), bias)
            : LinearKernel.Apply(new LinearSettings(precision), x, weight_IO, bias);
    }
}

internal sealed class GptOssMlp : nn.Module<Tensor, Tensor>
{
    private readonly Router router;
    private readonly GptOssExperts experts;
    private readonly long chosenCount;

    public GptOssMlp(GptOssConfig config) : base(nameof(GptOssMlp))
    {
        router = new Router(config.Width, config.Experts.Count, hasBias: true);
        experts = new GptOssExperts(config);
        chosenCount = config.Experts.Chosen;
        RegisterComponents();
    }

    public override Tensor forward(Tensor x_RD) =>
        experts.forward(x_RD, ExpertRoutes.OfLogits(router.call(x_RD), chosenCount), router);
}

/// <summary>gpt-oss, as <c>GptOssForSequenceClassification</c> has it under its head.</summary>
internal sealed class GptOss(GptOssConfig config, double dropout)
    : PreNormDecoder("gpt-oss", config, layer => new PreNormBlock(
        config.Width,
        config.NormEpsilon,
        new GptOssAttention(config, layer, dropout),
        new GptOssMlp(config)))
{
    public override string SequenceClassificationClass => "GptOssForSequenceClassification";

    public override void InitializeWeights()
    {
        base.InitializeWeights();
        // Sinks are drawn as matrices are, and so are the routers' biases.
        foreach (var module in modules())
            if (((module as GptOssAttention)?.sinks ?? (module as Router)?.bias) is { } parameter)
                nn.init.normal_(parameter, 0, InitializerRange);
    }
}
