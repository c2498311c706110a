using RewardModel.Checkpoints;
using RewardModel.Layers;
using RewardModel.Packing;
using static TorchSharp.torch;
using Olmo3Blocks = TorchSharp.Modules.ModuleList<RewardModel.Backbones.Olmo3Block>;

namespace RewardModel.Backbones;

// OLMo 3 (Team OLMo, arXiv 2512.13961). Differences from Llama: attention and MLP read the residual stream as it is, and what they give
// has a norm before it is added; queries and keys have a norm of all heads together; a sliding window in three of four layers. A scaling of
// rotary positions is for the other layers alone, as the models were trained; versions of transformers 5 scale all of them.
//
// T tokens, R of them computed in the layer, D width, N query heads, M key and value heads, H size of a head.

internal sealed record Olmo3Config : IBackboneConfig
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

    public required bool HasAttentionBias { get; init; }

    public required AttentionReach Window { get; init; }

    public required bool[] HasWindow { get; init; }

    public required double InitializerRange { get; init; }

    public required RotarySettings FullRotary { get; init; }

    public required RotarySettings WindowRotary { get; init; }

    public long EmbeddingSize => (long)VocabularySize * Width;

    public LayerShape LayerShape => new(
        Width,
        new AttentionShape(HeadCount, KeyHeadCount, HeadSize) { IsRotated = true, HasNorms = true },
        new MlpShape(InnerWidth, Activation) { IsGated = true });

    public static Olmo3Config Read(ConfigReader reader)
    {
        var width = reader.Size("hidden_size");
        var headCount = reader.Size("num_attention_heads");
        var headSize = reader.Size("head_dim", headCount > 0 ? width / headCount : 0);
        var layerCount = CommonSettings.LayerCount(reader);
        var window = reader.IntOrNull("sliding_window", 4096);
        var (full, windowed) = RotaryFrequencies.ReadWithUnscaled(reader, headSize, CommonSettings.Positions(reader, 2048));
        var config = new Olmo3Config
        {
            VocabularySize = CommonSettings.VocabularySize(reader),
            Width = width,
            InnerWidth = CommonSettings.InnerWidth(reader),
            LayerCount = layerCount,
            HeadCount = headCount,
            KeyHeadCount = reader.Int("num_key_value_heads", headCount),
            HeadSize = headSize,
            Activation = reader.OneOf("hidden_act", ActivationFunction.Names, "silu"),
            NormEpsilon = CommonSettings.NormEpsilon(reader, "rms_norm_eps", 1e-5),
            HasAttentionBias = reader.Bool("attention_bias", false),
            Window = CommonSettings.Reach(reader, window),
            HasWindow = CommonSettings.HasWindow(reader, layerCount, layer => (layer + 1) % 4 != 0),
            InitializerRange = CommonSettings.InitializerRange(reader),
            FullRotary = full,
            WindowRotary = windowed,
        };
        reader.Ignore("attention_dropout");
        if (window is null && config.HasWindow.Contains(true))
            reader.Problem($"sliding_window is null and layers have \"{CommonSettings.SlidingAttention}\"; expected a number");
        CommonSettings.CheckHeads(reader, headCount, config.KeyHeadCount, config.HeadSize);
        reader.Finish();
        return config;
    }
}

internal sealed class Olmo3Attention : nn.Module
{
    private readonly Linear q_proj;
    private readonly Linear k_proj;
    private readonly Linear v_proj;
    private readonly Linear o_proj;
    private readonly RmsNorm q_norm;
    private readonly RmsNorm k_norm;
    private readonly Olmo3Config config;
    private readonly AttentionReach reach;
    private readonly double dropout;

    public Olmo3Attention(Olmo3Config config, int layer, double dropout) : base(nameof(Olmo3Attention))
    {
        this.config = config;
        this.dropout = dropout;
        reach = config.HasWindow[layer] ? config.Window : AttentionReach.Causal;
        var (queries, keys) = (config.HeadCount * config.HeadSize, config.KeyHeadCount * config.HeadSize);
        q_proj = new Linear(config.Width, queries, config.HasAttentionBias);
        k_proj = new Linear(config.Width, keys, config.HasAttentionBias);
        v_proj = new Linear(config.Width, keys, config.HasAttentionBias);
        o_proj = new Linear(queries, config.Width, config.HasAttentionBias);
        q_norm = new RmsNorm(queries, config.NormEpsilon);
        k_norm = new RmsNorm(keys, config.NormEpsilon);
        RegisterComponents();
    }

    public Tensor forward(Tensor x_TD, QueryRows rows, (Tensor Cos, Tensor Sin) angles)
    {
        var q_RNH = RotaryEmbedding.Rotate(
            q_norm.call(q_proj.call(rows.Of(x_TD))).view(-1, config.HeadCount, config.HeadSize), rows.Of(angles));
        var k_TMH = RotaryEmbedding.Rotate(k_norm.call(k_proj.call(x_TD)).view(-1, config.KeyHeadCount, config.HeadSize), angles);
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

internal sealed class Olmo3Block : nn.Module
{
    private readonly Olmo3Attention self_attn;
    private readonly RmsNorm post_attention_layernorm;
    private readonly GatedMlp mlp;
    private readonly RmsNorm post_feedforward_layernorm;

    public Olmo3Block(Olmo3Config config, int layer, double dropout) : base(nameof(Olmo3Block))
    {
        self_attn = new Olmo3Attention(config, layer, dropout);
        post_attention_layernorm = new RmsNorm(config.Width, config.NormEpsilon);
        mlp = new GatedMlp(config.Width, config.InnerWidth, config.Activation, hasBias: false);
        post_feedforward_layernorm = new RmsNorm(config.Width, config.NormEpsilon);
        RegisterComponents();
    }

    public Tensor forward(Tensor x_TD, QueryRows rows, (Tensor Cos, Tensor Sin) angles)
    {
        using var scope = NewDisposeScope();
        var x_RD = Residual.Add(rows.Of(x_TD), post_attention_layernorm.call(self_attn.forward(x_TD, rows, angles)));
        return Residual.Add(x_RD, post_feedforward_layernorm.call(mlp.call(x_RD))).MoveToOuterDisposeScope();
    }
}

/// <summary>OLMo 3, as <c>Olmo3ForSequenceClassification</c> has it under its head.</summary>
internal sealed class Olmo3 : Backbone
{
    private readonly Embedding embed_tokens;
    private readonly Olmo3Blocks layers;
    private readonly RmsNorm norm;
    private readonly RotaryEmbedding fullRotary;
    private readonly RotaryEmbedding windowRotary;
    private readonly Olmo3Config config;

    public Olmo3(Olmo3Config config, double dropout) : base("OLMo 3")
    {
        this.config = config;
        embed_tokens = new Embedding(config.VocabularySize, config.Width);
        layers = nn.ModuleList([.. Enumerable.Range(0, config.LayerCount).Select(layer => new Olmo3Block(config, layer, dropout))]);
        norm = new RmsNorm(config.Width, config.NormEpsilon);
        fullRotary = new RotaryEmbedding(config.FullRotary);
        windowRotary = new RotaryEmbedding(config.WindowRotary);
        RegisterComponents();
    }

    public override int HiddenSize => config.Width;

    internal override IReadOnlyList<nn.Module> Layers => [.. layers];

    internal override LayerShape LayerShape => config.LayerShape;

    public override int VocabularySize => config.VocabularySize;

    public override int MaxPositions => Math.Min(config.FullRotary.MaxPositions, config.WindowRotary.MaxPositions);

    public override string BaseModelPrefix => "model";

    public override string SequenceClassificationClass => "Olmo3ForSequenceClassification";

    public override double InitializerRange => config.InitializerRange;

    private protected override Tensor HiddenStates(ForwardPass pass, QueryRows lastRows)
    {
        var (fullAngles, windowAngles) = (pass.AnglesOf(fullRotary), pass.AnglesOf(windowRotary));
        var x_TD = embed_tokens.call(pass.Sequences.TokenIds);
        x_TD = pass.Through(layers.Index(), x_TD, lastRows, (numbered, x_TD, rows) =>
            numbered.Item.forward(x_TD, rows, config.HasWindow[numbered.Index] ? windowAngles : fullAngles));
        return norm.call(x_TD);
    }

    public override void InitializeWeights() => Initialization.Apply(this, config.InitializerRange);
}
