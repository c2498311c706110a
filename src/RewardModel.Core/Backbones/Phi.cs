using RewardModel.Checkpoints;
using RewardModel.Layers;
using RewardModel.Packing;
using static TorchSharp.torch;
using PhiBlocks = TorchSharp.Modules.ModuleList<RewardModel.Backbones.PhiBlock>;

namespace RewardModel.Backbones;

// Phi 1, 1.5 and 2 (Li et al., arXiv 2309.05463). Differences from Llama: attention and MLP read the same norm, side by side; layer norms
// with bias; biases in all linear layers; only the first channels of a head rotated; a plain MLP with tanh-GELU. Where qk_layernorm says
// so, queries and keys have a layer norm, the same for all heads.
//
// T tokens, R of them computed in the layer, D width, N query heads, M key and value heads, H size of a head.

internal sealed record PhiConfig : IBackboneConfig
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

    public required bool HasHeadNorms { get; init; }

    public required double InitializerRange { get; init; }

    public required RotarySettings Rotary { get; init; }

    public long EmbeddingSize => (long)VocabularySize * Width;

    public LayerShape LayerShape => new(
        Width,
        new AttentionShape(HeadCount, KeyHeadCount, HeadSize) { IsRotated = true, HasNorms = HasHeadNorms },
        new MlpShape(InnerWidth, Activation))
    {
        NormCount = 1,
        IsParallel = true,
    };

    public static PhiConfig Read(ConfigReader reader)
    {
        var width = reader.Size("hidden_size");
        var headCount = reader.Size("num_attention_heads");
        var headSize = headCount > 0 ? width / headCount : 0;
        var spelling = new RotarySpelling { ShareKey = "partial_rotary_factor", AbsentShare = 0.5 };
        var config = new PhiConfig
        {
            VocabularySize = CommonSettings.VocabularySize(reader),
            Width = width,
            InnerWidth = CommonSettings.InnerWidth(reader),
            LayerCount = CommonSettings.LayerCount(reader),
            HeadCount = headCount,
            KeyHeadCount = reader.Int("num_key_value_heads", headCount),
            HeadSize = headSize,
            Activation = reader.OneOf("hidden_act", ActivationFunction.Names, "gelu_new"),
            NormEpsilon = CommonSettings.NormEpsilon(reader, "layer_norm_eps", 1e-5),
            HasHeadNorms = reader.Bool("qk_layernorm", false),
            InitializerRange = CommonSettings.InitializerRange(reader),
            Rotary = RotaryFrequencies.Read(reader, headSize, CommonSettings.Positions(reader, 2048), spelling),
        };
        reader.Ignore("attention_dropout", "embd_pdrop", "resid_pdrop");
        CommonSettings.CheckWidth(reader, width, headCount);
        CommonSettings.CheckHeads(reader, headCount, config.KeyHeadCount, config.HeadSize);
        reader.Finish();
        return config;
    }
}

internal sealed class PhiAttention : nn.Module
{
    private readonly Linear q_proj;
    private readonly Linear k_proj;
    private readonly Linear v_proj;
    private readonly Linear dense;
    private readonly LayerNorm? q_layernorm;
    private readonly LayerNorm? k_layernorm;
    private readonly PhiConfig config;
    private readonly double dropout;

    public PhiAttention(PhiConfig config, double dropout) : base(nameof(PhiAttention))
    {
        this.config = config;
        this.dropout = dropout;
        q_proj = new Linear(config.Width, config.Width, hasBias: true);
        k_proj = new Linear(config.Width, config.KeyHeadCount * config.HeadSize, hasBias: true);
        v_proj = new Linear(config.Width, config.KeyHeadCount * config.HeadSize, hasBias: true);
        dense = new Linear(config.Width, config.Width, hasBias: true);
        q_layernorm = config.HasHeadNorms ? new LayerNorm(config.HeadSize, config.NormEpsilon) : null;
        k_layernorm = config.HasHeadNorms ? new LayerNorm(config.HeadSize, config.NormEpsilon) : null;
        RegisterComponents();
    }

    public Tensor forward(Tensor x_TD, QueryRows rows, (Tensor Cos, Tensor Sin) angles)
    {
        var q_RNH = RotaryEmbedding.Rotate(Heads(q_proj.call(rows.Of(x_TD)), q_layernorm), rows.Of(angles));
        var k_TMH = RotaryEmbedding.Rotate(Heads(k_proj.call(x_TD), k_layernorm), angles);
        var v_TMH = v_proj.call(x_TD).view(-1, config.KeyHeadCount, config.HeadSize);
        var options = new AttentionOptions(1 / Math.Sqrt(config.HeadSize))
        {
            Dropout = training ? dropout : 0,
            Precision = dense.Precision,
        };
        return dense.call(Attention.Apply(q_RNH, k_TMH, v_TMH, rows, options));
    }

    private Tensor Heads(Tensor x, LayerNorm? norm)
    {
        var ofHeads = x.view(-1, config.HeadSize);
        return (norm?.call(ofHeads) ?? ofHeads).view(x.size(0), -1, config.HeadSize);
    }
}

internal sealed class PhiMlp : nn.Module<Tensor, Tensor>
{
    private readonly Linear fc1;
    private readonly Linear fc2;
    private readonly ActivationFunction activation;

    public PhiMlp(PhiConfig config) : base(nameof(PhiMlp))
    {
        fc1 = new Linear(config.Width, config.InnerWidth, hasBias: true);
        fc2 = new Linear(config.InnerWidth, config.Width, hasBias: true);
        activation = ActivationFunction.Named(config.Activation);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x_TD) => fc2.After(activation, fc1.call(x_TD));
}

internal sealed class PhiBlock : nn.Module
{
    private readonly LayerNorm input_layernorm;
    private readonly PhiAttention self_attn;
    private readonly PhiMlp mlp;
    private readonly double dropout;

    public PhiBlock(PhiConfig config, double dropout) : base(nameof(PhiBlock))
    {
        this.dropout = dropout;
        input_layernorm = new LayerNorm(config.Width, config.NormEpsilon);
        self_attn = new PhiAttention(config, dropout);
        mlp = new PhiMlp(config);
        RegisterComponents();
    }

    public Tensor forward(Tensor x_TD, QueryRows rows, (Tensor Cos, Tensor Sin) angles)
    {
        using var scope = NewDisposeScope();
        var (residual_TD, normed_TD) = input_layernorm.Fork(x_TD);
        var attended_RD = Dropout.Apply(self_attn.forward(normed_TD, rows, angles), dropout, training);
        var inner_RD = Dropout.Apply(mlp.call(rows.Of(normed_TD)), dropout, training);
        return Residual.Add(Residual.Add(rows.Of(residual_TD), attended_RD), inner_RD).MoveToOuterDisposeScope();
    }
}

/// <summary>Phi, as <c>PhiForSequenceClassification</c> has it under its head.</summary>
internal sealed class Phi : Backbone
{
    private readonly Embedding embed_tokens;
    private readonly PhiBlocks layers;
    private readonly LayerNorm final_layernorm;
    private readonly RotaryEmbedding rotary;
    private readonly PhiConfig config;
    private readonly double dropout;

    public Phi(PhiConfig config, double dropout) : base("Phi")
    {
        this.config = config;
        this.dropout = dropout;
        embed_tokens = new Embedding(config.VocabularySize, config.Width);
        layers = nn.ModuleList([.. Enumerable.Range(0, config.LayerCount).Select(_ => new PhiBlock(config, dropout))]);
        final_layernorm = new LayerNorm(config.Width, config.NormEpsilon);
        rotary = new RotaryEmbedding(config.Rotary);
        RegisterComponents();
    }

    public override int HiddenSize => config.Width;

    internal override IReadOnlyList<nn.Module> Layers => [.. layers];

    internal override LayerShape LayerShape => config.LayerShape;

    public override int VocabularySize => config.VocabularySize;

    public override int MaxPositions => config.Rotary.MaxPositions;

    public override string BaseModelPrefix => "model";

    public override string SequenceClassificationClass => "PhiForSequenceClassification";

    public override double InitializerRange => config.InitializerRange;

    private protected override Tensor HiddenStates(ForwardPass pass, QueryRows lastRows)
    {
        var angles = pass.AnglesOf(rotary);
        var x_TD = Dropout.Apply(embed_tokens.call(pass.Sequences.TokenIds), dropout, training);
        x_TD = pass.Through(layers, x_TD, lastRows, (layer, x_TD, rows) => layer.forward(x_TD, rows, angles));
        return final_layernorm.call(x_TD);
    }

    public override void InitializeWeights() => Initialization.Apply(this, config.InitializerRange);

    // Rotary frequencies, which old versions of transformers saved as buffers.
    internal override bool Ignores(string parameterName) =>
        parameterName.EndsWith("rotary_emb.inv_freq", StringComparison.Ordinal);
}
