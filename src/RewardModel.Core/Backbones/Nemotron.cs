using RewardModel.Checkpoints;
using RewardModel.Layers;
using RewardModel.Packing;
using static TorchSharp.torch;

namespace RewardModel.Backbones;

// Nemotron-4 (Parmar et al., arXiv 2402.16819), also Minitron's. Differences from Llama: layer norms with bias that scale by 1 + w; only
// the first channels of a head rotated; a plain MLP with squared ReLU.
//
// T tokens, R of them computed in the layer, D width, N query heads, M key and value heads, H size of a head.

internal sealed record NemotronConfig : PreNormConfig
{
    public required bool HasAttentionBias { get; init; }

    public required bool HasMlpBias { get; init; }

    public override LayerShape LayerShape => new(
        Width,
        new AttentionShape(HeadCount, KeyHeadCount, HeadSize) { IsRotated = true },
        new MlpShape(InnerWidth, Activation));

    public static NemotronConfig Read(ConfigReader reader)
    {
        var width = reader.Size("hidden_size");
        var headCount = reader.Size("num_attention_heads");
        var headSize = reader.Size("head_dim", headCount > 0 ? width / headCount : 0);
        var spelling = new RotarySpelling { ShareKey = "partial_rotary_factor", AbsentShare = 0.5 };
        var config = new NemotronConfig
        {
            VocabularySize = CommonSettings.VocabularySize(reader),
            Width = width,
            InnerWidth = CommonSettings.InnerWidth(reader),
            LayerCount = CommonSettings.LayerCount(reader),
            HeadCount = headCount,
            KeyHeadCount = reader.Int("num_key_value_heads", headCount),
            HeadSize = headSize,
            Activation = reader.OneOf("hidden_act", ActivationFunction.Names, "relu2"),
            NormEpsilon = CommonSettings.NormEpsilon(reader, "norm_eps", 1e-5),
            HasAttentionBias = reader.Bool("attention_bias", false),
            HasMlpBias = reader.Bool("mlp_bias", false),
            InitializerRange = CommonSettings.InitializerRange(reader, absent: 0.0134),
            Rotary = RotaryFrequencies.Read(reader, headSize, CommonSettings.Positions(reader, 4096), spelling),
        };
        reader.Ignore("attention_dropout", "hidden_dropout");
        CommonSettings.CheckHeads(reader, headCount, config.KeyHeadCount, config.HeadSize);
        reader.Finish();
        return config;
    }
}

/// <summary>A <see cref="LayerNorm"/> whose weight is the difference from 1.</summary>
internal sealed class NemotronNorm(NemotronConfig config) : LayerNorm(config.Width, config.NormEpsilon)
{
    private protected override Tensor? Scale => weight!.add(1);
}

internal sealed class NemotronAttention : nn.Module
{
    private readonly Linear q_proj;
    private readonly Linear k_proj;
    private readonly Linear v_proj;
    private readonly Linear o_proj;
    private readonly NemotronConfig config;
    private readonly double dropout;

    public NemotronAttention(NemotronConfig config, double dropout) : base(nameof(NemotronAttention))
    {
        this.config = config;
        this.dropout = dropout;
        q_proj = new Linear(config.Width, config.HeadCount * config.HeadSize, config.HasAttentionBias);
        k_proj = new Linear(config.Width, config.KeyHeadCount * config.HeadSize, config.HasAttentionBias);
        v_proj = new Linear(config.Width, config.KeyHeadCount * config.HeadSize, config.HasAttentionBias);
        o_proj = new Linear(config.HeadCount * config.HeadSize, config.Width, config.HasAttentionBias);
        RegisterComponents();
    }

    public Tensor forward(Tensor x_TD, QueryRows rows, (Tensor Cos, Tensor Sin) angles)
    {
        var q_RNH = RotaryEmbedding.Rotate(q_proj.call(rows.Of(x_TD)).view(-1, config.HeadCount, config.HeadSize), rows.Of(angles));
        var k_TMH = RotaryEmbedding.Rotate(k_proj.call(x_TD).view(-1, config.KeyHeadCount, config.HeadSize), angles);
        var v_TMH = v_proj.call(x_TD).view(-1, config.KeyHeadCount, config.HeadSize);
        var options = new AttentionOptions(1 / Math.Sqrt(config.HeadSize))
        {
            Dropout = training ? dropout : 0,
            Precision = o_proj.Precision,
        };
        return o_proj.call(Attention.Apply(q_RNH, k_TMH, v_TMH, rows, options));
    }
}

internal sealed class NemotronMlp : nn.Module<Tensor, Tensor>
{
    private readonly Linear up_proj;
    private readonly Linear down_proj;
    private readonly ActivationFunction activation;

    public NemotronMlp(NemotronConfig config) : base(nameof(NemotronMlp))
    {
        up_proj = new Linear(config.Width, config.InnerWidth, config.HasMlpBias);
        down_proj = new Linear(config.InnerWidth, config.Width, config.HasMlpBias);
        activation = ActivationFunction.Named(config.Activation);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x_TD) => down_proj.After(activation, up_proj.call(x_TD));
}

internal sealed class NemotronBlock : RotaryBlock
{
    private readonly NemotronNorm input_layernorm;
    private readonly NemotronAttention self_attn;
    private readonly NemotronNorm post_attention_layernorm;
    private readonly NemotronMlp mlp;

    public NemotronBlock(NemotronConfig config, double dropout) : base(nameof(NemotronBlock))
    {
        input_layernorm = new NemotronNorm(config);
        self_attn = new NemotronAttention(config, dropout);
        post_attention_layernorm = new NemotronNorm(config);
        mlp = new NemotronMlp(config);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x_TD, QueryRows rows, (Tensor Cos, Tensor Sin) angles)
    {
        using var scope = NewDisposeScope();
        var (residual_TD, normed_TD) = input_layernorm.Fork(x_TD);
        var x_RD = Residual.Add(rows.Of(residual_TD), self_attn.forward(normed_TD, rows, angles));
        var (residual_RD, normed_RD) = post_attention_layernorm.Fork(x_RD);
        return Residual.Add(residual_RD, mlp.call(normed_RD)).MoveToOuterDisposeScope();
    }
}

/// <summary>Nemotron, as <c>NemotronForSequenceClassification</c> has it under its head.</summary>
internal sealed class Nemotron(NemotronConfig config, double dropout)
    : PreNormDecoder("Nemotron", config, _ => new NemotronBlock(config, dropout), new NemotronNorm(config))
{
    public override string SequenceClassificationClass => "NemotronForSequenceClassification";
}
