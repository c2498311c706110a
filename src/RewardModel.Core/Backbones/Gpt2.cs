using RewardModel.Checkpoints;
using RewardModel.Layers;
using RewardModel.Packing;
using static TorchSharp.torch;
using Gpt2Blocks = TorchSharp.Modules.ModuleList<RewardModel.Backbones.Gpt2Block>;
using Parameter = TorchSharp.Modules.Parameter;

namespace RewardModel.Backbones;

// GPT-2 (Radford et al., "Language Models are Unsupervised Multitask Learners", 2019). Differences from Llama: learned positions,
// layer norms with bias, one fused projection for q, k and v, a plain MLP with tanh-GELU, and weights stored [inputs, outputs].
//
// T tokens, R of them computed in the layer, D width, N heads, H size of a head.

internal sealed record Gpt2Config
{
    public required int VocabularySize { get; init; }

    public required int Positions { get; init; }

    public required int Width { get; init; }

    public required int LayerCount { get; init; }

    public required int HeadCount { get; init; }

    public required int InnerWidth { get; init; }

    public required string Activation { get; init; }

    public required double NormEpsilon { get; init; }

    public required double InitializerRange { get; init; }

    public static Gpt2Config Read(ConfigReader reader)
    {
        var width = reader.Size("n_embd");
        var config = new Gpt2Config
        {
            VocabularySize = reader.Size("vocab_size"),
            Positions = reader.Size("n_positions"),
            Width = width,
            LayerCount = reader.LayerCount("n_layer"),
            HeadCount = reader.Size("n_head"),
            InnerWidth = reader.Size("n_inner", 4 * width),
            Activation = reader.OneOf("activation_function", ActivationFunction.Names, "gelu_new"),
            NormEpsilon = reader.Double("layer_norm_epsilon", 1e-5),
            InitializerRange = reader.Double("initializer_range", 0.02),
        };
        reader.MustBe("scale_attn_weights", supported: true);
        reader.MustBe("scale_attn_by_inverse_layer_idx", supported: false);
        // Precision of half-precision attention, and the length under its older name.
        reader.Ignore("reorder_and_upcast_attn", "n_ctx", "attn_pdrop", "embd_pdrop", "resid_pdrop");
        // The head that GPT2DoubleHeadsModel puts on top.
        reader.Ignore("summary_activation", "summary_first_dropout", "summary_proj_to_labels", "summary_type", "summary_use_proj");
        if (config.HeadCount < 1 || width % config.HeadCount != 0)
            reader.Problem($"n_embd is {width} and n_head {config.HeadCount}; expected n_embd to be a multiple of n_head");
        reader.Finish();
        return config;
    }
}

/// <summary>A linear layer whose weight is stored [inputs, outputs].</summary>
internal sealed class Conv1D : MatrixLayer
{
    public readonly Parameter weight;
    public readonly Parameter bias;

    public Conv1D(long inputs, long outputs) : base(nameof(Conv1D))
    {
        weight = new Parameter(empty(inputs, outputs));
        bias = new Parameter(empty(outputs));
        RegisterComponents();
    }

    internal override Parameter Weight => weight;

    private protected override bool HasInputsFirst => true;

    protected override Tensor Matrix => weight.t();

    protected override Parameter? Offset => bias;
}

internal sealed class Gpt2Attention : nn.Module
{
    private readonly Conv1D c_attn;
    public readonly Conv1D c_proj;
    private readonly Gpt2Config config;
    private readonly double dropout;

    public Gpt2Attention(Gpt2Config config, double dropout) : base(nameof(Gpt2Attention))
    {
        this.config = config;
        this.dropout = dropout;
        c_attn = new Conv1D(config.Width, 3 * config.Width);
        c_proj = new Conv1D(config.Width, config.Width);
        RegisterComponents();
    }

    public Tensor forward(Tensor x_TD, QueryRows rows)
    {
        var headSize = config.Width / config.HeadCount;
        var qkv_T3NH = c_attn.call(x_TD).view(-1, 3, config.HeadCount, headSize);
        var options = new AttentionOptions(1 / Math.Sqrt(headSize))
        {
            Dropout = training ? dropout : 0,
            Precision = c_proj.Precision,
        };
        return c_proj.call(Attention.Apply(qkv_T3NH, rows, options));
    }
}

internal sealed class Gpt2Mlp : nn.Module<Tensor, Tensor>
{
    private readonly Conv1D c_fc;
    public readonly Conv1D c_proj;
    private readonly ActivationFunction activation;

    public Gpt2Mlp(Gpt2Config config) : base(nameof(Gpt2Mlp))
    {
        c_fc = new Conv1D(config.Width, config.InnerWidth);
        c_proj = new Conv1D(config.InnerWidth, config.Width);
        activation = ActivationFunction.Named(config.Activation);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x_TD) => c_proj.After(activation, c_fc.call(x_TD));
}

internal sealed class Gpt2Block : nn.Module
{
    private readonly LayerNorm ln_1;
    public readonly Gpt2Attention attn;
    private readonly LayerNorm ln_2;
    public readonly Gpt2Mlp mlp;
    private readonly double dropout;

    public Gpt2Block(Gpt2Config config, double dropout) : base(nameof(Gpt2Block))
    {
        this.dropout = dropout;
        ln_1 = new LayerNorm(config.Width, config.NormEpsilon);
        attn = new Gpt2Attention(config, dropout);
        ln_2 = new LayerNorm(config.Width, config.NormEpsilon);
        mlp = new Gpt2Mlp(config);
        RegisterComponents();
    }

    public Tensor forward(Tensor x_TD, QueryRows rows)
    {
        using var scope = NewDisposeScope();
        var (residual_TD, normed_TD) = ln_1.Fork(x_TD);
        var x_RD = Residual.Add(rows.Of(residual_TD), Dropout.Apply(attn.forward(normed_TD, rows), dropout, training));
        var (residual_RD, normed_RD) = ln_2.Fork(x_RD);
        return Residual.Add(residual_RD, Dropout.Apply(mlp.call(normed_RD), dropout, training)).MoveToOuterDisposeScope();
    }
}

/// <summary>GPT-2, as <c>GPT2ForSequenceClassification</c> has it under its head.</summary>
internal sealed class Gpt2 : Backbone
{
    private readonly Embedding wte;
    private readonly Embedding wpe;
    private readonly Gpt2Blocks h;
    private readonly LayerNorm ln_f;
    private readonly Gpt2Config config;
    private readonly double dropout;

    public Gpt2(Gpt2Config config, double dropout) : base("GPT-2")
    {
        this.config = config;
        this.dropout = dropout;
        wte = new Embedding(config.VocabularySize, config.Width);
        wpe = new Embedding(config.Positions, config.Width);
        h = nn.ModuleList([.. Enumerable.Range(0, config.LayerCount).Select(_ => new Gpt2Block(config, dropout))]);
        ln_f = new LayerNorm(config.Width, config.NormEpsilon);
        RegisterComponents();
    }

    public override int HiddenSize => config.Width;

    internal override IReadOnlyList<nn.Module> Layers => [.. h];

    internal override LayerShape LayerShape => new(
        config.Width,
        new AttentionShape(config.HeadCount, config.HeadCount, config.Width / config.HeadCount) { IsFused = true },
        new MlpShape(config.InnerWidth, config.Activation));

    public override int VocabularySize => config.VocabularySize;

    public override int MaxPositions => config.Positions;

    public override string BaseModelPrefix => "transformer";

    public override string SequenceClassificationClass => "GPT2ForSequenceClassification";

    public override double InitializerRange => config.InitializerRange;

    private protected override Tensor HiddenStates(ForwardPass pass, QueryRows lastRows)
    {
        var x_TD = Dropout.Apply(wte.call(pass.Sequences.TokenIds).add(wpe.call(pass.Sequences.PositionIds)), dropout, training);
        x_TD = pass.Through(h, x_TD, lastRows, (block, x_TD, rows) => block.forward(x_TD, rows));
        return ln_f.call(x_TD);
    }

    // Matrices N(0, range), biases 0, norms 1; projections into the residual stream smaller by sqrt(2 layers), as section 2.3 of the
    // paper has it.
    public override void InitializeWeights()
    {
        Initialization.Apply(this, config.InitializerRange);
        var residualRange = config.InitializerRange / Math.Sqrt(2.0 * config.LayerCount);
        foreach (var block in h)
        {
            nn.init.normal_(block.attn.c_proj.weight, 0, residualRange);
            nn.init.normal_(block.mlp.c_proj.weight, 0, residualRange);
        }
    }

    // Causal masks, which old versions of transformers saved as buffers.
    internal override bool Ignores(string parameterName) =>
        parameterName.EndsWith(".attn.bias", StringComparison.Ordinal)
        || parameterName.EndsWith(".attn.masked_bias", StringComparison.Ordinal);
}
