using RewardModel.Checkpoints;
using RewardModel.Layers;
using RewardModel.Packing;
using static TorchSharp.torch;

namespace RewardModel.Backbones;

// StarCoder 2 (Lozhkov et al., arXiv 2402.19173). Differences from Llama: layer norms with bias; biases in all linear layers; a plain MLP
// with tanh-GELU; a sliding window; dropout of embeddings and of what is added to the residual stream.
//
// T tokens, R of them computed in the layer, D width, N query heads, M key and value heads, H size of a head.

internal sealed record Starcoder2Config : PreNormConfig
{
    public required bool HasBias { get; init; }

    public required AttentionReach Reach { get; init; }

    public override LayerShape LayerShape => new(
        Width,
        new AttentionShape(HeadCount, KeyHeadCount, HeadSize) { IsRotated = true },
        new MlpShape(InnerWidth, Activation));

    public static Starcoder2Config Read(ConfigReader reader)
    {
        var width = reader.Size("hidden_size");
        var headCount = reader.Size("num_attention_heads");
        var headSize = reader.Size("head_dim", headCount > 0 ? width / headCount : 0);
        var config = new Starcoder2Config
        {
            VocabularySize = CommonSettings.VocabularySize(reader),
            Width = width,
            InnerWidth = CommonSettings.InnerWidth(reader),
            LayerCount = CommonSettings.LayerCount(reader),
            HeadCount = headCount,
            KeyHeadCount = reader.Int("num_key_value_heads", 2),
            HeadSize = headSize,
            Activation = reader.OneOf("hidden_act", ActivationFunction.Names, "gelu_pytorch_tanh"),
            NormEpsilon = CommonSettings.NormEpsilon(reader, "norm_epsilon", 1e-5),
            HasBias = reader.Bool("use_bias", true),
            Reach = CommonSettings.Reach(reader, reader.OptionalInt("sliding_window")),
            InitializerRange = CommonSettings.InitializerRange(reader, absent: 0.018042),
            Rotary = RotaryFrequencies.Read(reader, headSize, CommonSettings.Positions(reader, 4096)),
        };
        reader.Ignore("attention_dropout", "residual_dropout", "embedding_dropout");
        // What published files say of the trainer that they come from: the precision of the softmax, and a second name of norm_epsilon,
        // which counts.
        reader.Ignore("attention_softmax_in_fp32", "scale_attention_softmax_in_fp32", "layer_norm_epsilon");
        reader.MustBe("scale_attn_weights", supported: true);
        reader.OneOf("mlp_type", ["default"], "default");
        reader.OneOf("norm_type", ["layer_norm"], "layer_norm");
        CommonSettings.CheckHeads(reader, headCount, config.KeyHeadCount, config.HeadSize);
        CommonSettings.CheckLayerTypes(reader, config.LayerCount, config.Reach);
        reader.Finish();
        return config;
    }
}

internal sealed class Starcoder2Attention : nn.Module
{
    private readonly Linear q_proj;
    private readonly Linear k_proj;
    private readonly Linear v_proj;
    private readonly Linear o_proj;
    private readonly Starcoder2Config config;
    private readonly double dropout;

    public Starcoder2Attention(Starcoder2Config config, double dropout) : base(nameof(Starcoder2Attention))
    {
        this.config = config;
        this.dropout = dropout;
        q_proj = new Linear(config.Width, config.HeadCount * config.HeadSize, config.HasBias);
        k_proj = new Linear(config.Width, config.KeyHeadCount * config.HeadSize, config.HasBias);
        v_proj = new Linear(config.Width, config.KeyHeadCount * config.HeadSize, config.HasBias);
        o_proj = new Linear(config.HeadCount * config.HeadSize, config.Width, config.HasBias);
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
            Reach = config.Reach,
            Precision = o_proj.Precision,
        };
        return o_proj.call(Attention.Apply(q_RNH, k_TMH, v_TMH, rows, options));
    }
}

internal sealed class Starcoder2Mlp : nn.Module<Tensor, Tensor>
{
    private readonly Linear c_fc;
    private readonly Linear c_proj;
    private readonly ActivationFunction activation;

    public Starcoder2Mlp(Starcoder2Config config) : base(nameof(Starcoder2Mlp))
    {
        c_fc = new Linear(config.Width, config.InnerWidth, config.HasBias);
        c_proj = new Linear(config.InnerWidth, config.Width, config.HasBias);
        activation = ActivationFunction.Named(config.Activation);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x_TD) => c_proj.After(activation, c_fc.call(x_TD));
}

internal sealed class Starcoder2Block : RotaryBlock
{
    private readonly LayerNorm input_layernorm;
    private readonly Starcoder2Attention self_attn;
    private readonly LayerNorm post_attention_layernorm;
    private readonly Starcoder2Mlp mlp;
    private readonly double dropout;

    public Starcoder2Block(Starcoder2Config config, double dropout) : base(nameof(Starcoder2Block))
    {
        this.dropout = dropout;
        input_layernorm = new LayerNorm(config.Width, config.NormEpsilon);
        self_attn = new Starcoder2Attention(config, dropout);
        post_attention_layernorm = new LayerNorm(config.Width, config.NormEpsilon);
        mlp = new Starcoder2Mlp(config);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x_TD, QueryRows rows, (Tensor Cos, Tensor Sin) angles)
    {
        using var scope = NewDisposeScope();
        var (residual_TD, normed_TD) = input_layernorm.Fork(x_TD);
        var attended_RD = Dropout.Apply(self_attn.forward(normed_TD, rows, angles), dropout, training);
        var (residual_RD, normed_RD) = post_attention_layernorm.Fork(Residual.Add(rows.Of(residual_TD), attended_RD));
        return Residual.Add(residual_RD, Dropout.Apply(mlp.call(normed_RD), dropout, training)).MoveToOuterDisposeScope();
    }
}

/// <summary>StarCoder 2, as <c>Starcoder2ForSequenceClassification</c> has it under its head.</summary>
internal sealed class Starcoder2(Starcoder2Config config, double dropout)
    : PreNormDecoder(
        "StarCoder 2", config, _ => new Starcoder2Block(config, dropout), new LayerNorm(config.Width, config.NormEpsilon))
{
    public override string SequenceClassificationClass => "Starcoder2ForSequenceClassification";

    private protected override Tensor Embedded(Tensor x_TD) => Dropout.Apply(x_TD, dropout, training);
}
