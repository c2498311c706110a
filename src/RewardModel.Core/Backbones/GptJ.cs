using RewardModel.Checkpoints;
using RewardModel.Layers;
using RewardModel.Packing;
using static TorchSharp.torch;
using GptJBlocks = TorchSharp.Modules.ModuleList<RewardModel.Backbones.GptJBlock>;
using RotaryPairs = RewardModel.Kernels.RotaryPairs;

namespace RewardModel.Backbones;

// GPT-J (Wang and Komatsuzaki, "GPT-J-6B", 2021). Differences from Llama: attention and MLP read the same norm, side by side; layer norms with
// bias; rotary positions turn neighbouring channels, and the first of a head only, always at base 10000; a plain MLP with tanh-GELU, which
// alone has biases.
//
// T tokens, R of them computed in the layer, D width, N heads, H size of a head.

internal sealed record GptJConfig : IBackboneConfig
{
    private const double rotaryBase = 10000;

    public required int VocabularySize { get; init; }

    public required int Width { get; init; }

    public required int InnerWidth { get; init; }

    public required int LayerCount { get; init; }

    public required int HeadCount { get; init; }

    public required string Activation { get; init; }

    public required double NormEpsilon { get; init; }

    public required double InitializerRange { get; init; }

    public required RotarySettings Rotary { get; init; }

    public long EmbeddingSize => (long)VocabularySize * Width;

    public LayerShape LayerShape => new(
        Width,
        new AttentionShape(HeadCount, HeadCount, Width / HeadCount) { IsRotated = true },
        new MlpShape(InnerWidth, Activation))
    {
        IsParallel = true,
        NormCount = 1,
    };

    public static GptJConfig Read(ConfigReader reader)
    {
        var width = reader.Size("n_embd");
        var headCount = reader.Size("n_head");
        // Null would be the whole width, which heads don't have.
        var rotated = reader.IntOrNull("rotary_dim", 64) ?? 0;
        var headSize = headCount > 0 ? width / headCount : 0;
        var config = new GptJConfig
        {
            VocabularySize = CommonSettings.VocabularySize(reader),
            Width = width,
            InnerWidth = reader.Size("n_inner", 4 * width, ConfigLimits.InnerWidth),
            LayerCount = CommonSettings.LayerCount(reader, "n_layer"),
            HeadCount = headCount,
            Activation = reader.OneOf("activation_function", ActivationFunction.Names, "gelu_new"),
            NormEpsilon = CommonSettings.NormEpsilon(reader, "layer_norm_epsilon", 1e-5),
            InitializerRange = CommonSettings.InitializerRange(reader),
            Rotary = new RotarySettings(
                RotaryFrequencies.Plain(Math.Clamp(rotated, 0, headSize), rotaryBase), Scaling: 1,
                reader.Size("n_positions", 2048, ConfigLimits.Positions)),
        };
        reader.MustBe("rotary", supported: true);
        reader.MustBe("scale_attn_weights", supported: true);
        // The length under its older name, and the head for other tasks.
        reader.Ignore("n_ctx", "summary_activation", "summary_first_dropout", "summary_proj_to_labels", "summary_type", "summary_use_proj");
        if (headCount < 1 || width % headCount != 0)
            reader.Problem($"n_embd is {width} and n_head {headCount}; expected n_embd to be a multiple of n_head");
        else if (rotated % 2 != 0 || rotated < 2 || rotated > headSize)
            reader.Problem(
                $"rotary_dim is {(rotated == 0 ? "null or 0" : rotated)} and a head has {headSize} channels; "
                + "expected an even number of them, which rotary positions turn in pairs");
        reader.Finish();
        return config;
    }
}

internal sealed class GptJAttention : nn.Module
{
    private readonly Linear k_proj;
    private readonly Linear v_proj;
    private readonly Linear q_proj;
    private readonly Linear out_proj;
    private readonly GptJConfig config;
    private readonly double dropout;

    public GptJAttention(GptJConfig config, double dropout) : base(nameof(GptJAttention))
    {
        this.config = config;
        this.dropout = dropout;
        k_proj = new Linear(config.Width, config.Width, hasBias: false);
        v_proj = new Linear(config.Width, config.Width, hasBias: false);
        q_proj = new Linear(config.Width, config.Width, hasBias: false);
        out_proj = new Linear(config.Width, config.Width, hasBias: false);
        RegisterComponents();
    }

    public Tensor forward(Tensor x_TD, QueryRows rows, (Tensor Cos, Tensor Sin) angles)
    {
        var headSize = config.Width / config.HeadCount;
        var q_RNH = RotaryEmbedding.Rotate(
            q_proj.call(rows.Of(x_TD)).view(-1, config.HeadCount, headSize), rows.Of(angles), RotaryPairs.Neighbours);
        var k_TNH = RotaryEmbedding.Rotate(k_proj.call(x_TD).view(-1, config.HeadCount, headSize), angles, RotaryPairs.Neighbours);
        var v_TNH = v_proj.call(x_TD).view(-1, config.HeadCount, headSize);
        var options = new AttentionOptions(1 / Math.Sqrt(headSize))
        {
            Dropout = training ? dropout : 0,
            Precision = out_proj.Precision,
        };
        return Dropout.Apply(out_proj.call(Attention.Apply(q_RNH, k_TNH, v_TNH, rows, options)), dropout, training);
    }
}

internal sealed class GptJMlp : nn.Module<Tensor, Tensor>
{
    private readonly Linear fc_in;
    private readonly Linear fc_out;
    private readonly ActivationFunction activation;
    private readonly double dropout;

    public GptJMlp(GptJConfig config, double dropout) : base(nameof(GptJMlp))
    {
        this.dropout = dropout;
        fc_in = new Linear(config.Width, config.InnerWidth, hasBias: true);
        fc_out = new Linear(config.InnerWidth, config.Width, hasBias: true);
        activation = ActivationFunction.Named(config.Activation);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x_TD) => Dropout.Apply(fc_out.After(activation, fc_in.call(x_TD)), dropout, training);
}

internal sealed class GptJBlock : nn.Module
{
    private readonly LayerNorm ln_1;
    private readonly GptJAttention attn;
    private readonly GptJMlp mlp;

    public GptJBlock(GptJConfig config, double dropout) : base(nameof(GptJBlock))
    {
        ln_1 = new LayerNorm(config.Width, config.NormEpsilon);
        attn = new GptJAttention(config, dropout);
        mlp = new GptJMlp(config, dropout);
        RegisterComponents();
    }

    public Tensor forward(Tensor x_TD, QueryRows rows, (Tensor Cos, Tensor Sin) angles)
    {
        using var scope = NewDisposeScope();
        var (residual_TD, normed_TD) = ln_1.Fork(x_TD);
        var attended_RD = Residual.Add(rows.Of(residual_TD), attn.forward(normed_TD, rows, angles));
        return Residual.Add(attended_RD, mlp.call(rows.Of(normed_TD))).MoveToOuterDisposeScope();
    }
}

/// <summary>GPT-J, as <c>GPTJForSequenceClassification</c> has it under its head.</summary>
internal sealed class GptJ : Backbone
{
    private readonly Embedding wte;
    private readonly GptJBlocks h;
    private readonly LayerNorm ln_f;
    private readonly RotaryEmbedding rotary;
    private readonly GptJConfig config;
    private readonly double dropout;

    public GptJ(GptJConfig config, double dropout) : base("GPT-J")
    {
        this.config = config;
        this.dropout = dropout;
        wte = new Embedding(config.VocabularySize, config.Width);
        h = nn.ModuleList([.. Enumerable.Range(0, config.LayerCount).Select(_ => new GptJBlock(config, dropout))]);
        ln_f = new LayerNorm(config.Width, config.NormEpsilon);
        rotary = new RotaryEmbedding(config.Rotary);
        RegisterComponents();
    }

    public override int HiddenSize => config.Width;

    internal override IReadOnlyList<nn.Module> Layers => [.. h];

    internal override LayerShape LayerShape => config.LayerShape;

    public override int VocabularySize => config.VocabularySize;

    public override int MaxPositions => config.Rotary.MaxPositions;

    public override string BaseModelPrefix => "transformer";

    public override string SequenceClassificationClass => "GPTJForSequenceClassification";

    public override double InitializerRange => config.InitializerRange;

    private protected override Tensor HiddenStates(ForwardPass pass, QueryRows lastRows)
    {
        var angles = pass.AnglesOf(rotary);
        var x_TD = Dropout.Apply(wte.call(pass.Sequences.TokenIds), dropout, training);
        x_TD = pass.Through(h, x_TD, lastRows, (block, x_TD, rows) => block.forward(x_TD, rows, angles));
        return ln_f.call(x_TD);
    }

    public override void InitializeWeights() => Initialization.Apply(this, config.InitializerRange);

    // Causal masks, which old versions of transformers saved as buffers.
    internal override bool Ignores(string parameterName) =>
        parameterName.EndsWith(".attn.bias", StringComparison.Ordinal)
        || parameterName.EndsWith(".attn.masked_bias", StringComparison.Ordinal);
}
