using RewardModel.Checkpoints;
using RewardModel.Layers;
using TorchSharp;
using static TorchSharp.torch;
using LlamaBlocks = TorchSharp.Modules.ModuleList<RewardModel.Backbones.LlamaBlock>;

namespace RewardModel.Backbones;

// Llama (Touvron et al., arXiv 2302.13971), the plain case that other architectures are told apart from: rotary positions, RMS norms
// before attention and MLP, grouped key and value heads, a gated MLP with SiLU.
//
// T tokens, R of them computed in the layer, D width, N query heads, M key and value heads, H size of a head.

internal sealed record LlamaConfig
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

    public required bool HasMlpBias { get; init; }

    public required double InitializerRange { get; init; }

    public required RotarySettings Rotary { get; init; }

    public static LlamaConfig Read(ConfigReader reader)
    {
        var width = reader.Size("hidden_size");
        var headCount = reader.Size("num_attention_heads");
        var headSize = reader.Size("head_dim", headCount > 0 ? width / headCount : 0);
        var config = new LlamaConfig
        {
            VocabularySize = reader.Size("vocab_size"),
            Width = width,
            InnerWidth = reader.Size("intermediate_size"),
            LayerCount = reader.Int("num_hidden_layers"),
            HeadCount = headCount,
            KeyHeadCount = reader.Int("num_key_value_heads", headCount),
            HeadSize = headSize,
            Activation = reader.OneOf("hidden_act", Activations.Names, "silu"),
            NormEpsilon = reader.Double("rms_norm_eps", 1e-6),
            HasAttentionBias = reader.Bool("attention_bias", false),
            HasMlpBias = reader.Bool("mlp_bias", false),
            InitializerRange = reader.Double("initializer_range", 0.02),
            Rotary = RotaryFrequencies.Read(reader, headSize, reader.Size("max_position_embeddings", 2048)),
        };
        // pretraining_tp splits the same matrix products into slices.
        reader.Ignore("pretraining_tp", "attention_dropout");
        CommonSettings.CheckHeads(reader, headCount, config.KeyHeadCount);
        reader.Finish();
        return config;
    }
}

internal sealed class LlamaAttention : nn.Module
{
    private readonly Linear q_proj;
    private readonly Linear k_proj;
    private readonly Linear v_proj;
    private readonly Linear o_proj;
    private readonly LlamaConfig config;
    private readonly double dropout;

    public LlamaAttention(LlamaConfig config, double dropout) : base(nameof(LlamaAttention))
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
        var q_RNH = RotaryEmbedding.Rotate(
            q_proj.call(rows.Of(x_TD)).view(-1, config.HeadCount, config.HeadSize),
            rows.Of(angles));
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

internal sealed class LlamaBlock : nn.Module
{
    private readonly RmsNorm input_layernorm;
    private readonly LlamaAttention self_attn;
    private readonly RmsNorm post_attention_layernorm;
    private readonly GatedMlp mlp;

    public LlamaBlock(LlamaConfig config, double dropout) : base(nameof(LlamaBlock))
    {
        input_layernorm = new RmsNorm(config.Width, config.NormEpsilon);
        self_attn = new LlamaAttention(config, dropout);
        post_attention_layernorm = new RmsNorm(config.Width, config.NormEpsilon);
        mlp = new GatedMlp(config.Width, config.InnerWidth, config.Activation, config.HasMlpBias);
        RegisterComponents();
    }

    public Tensor forward(Tensor x_TD, QueryRows rows, (Tensor Cos, Tensor Sin) angles)
    {
        using var scope = NewDisposeScope();
        var x_RD = rows.Of(x_TD).add(self_attn.forward(input_layernorm.call(x_TD), rows, angles));
        x_RD = x_RD.add(mlp.call(post_attention_layernorm.call(x_RD)));
        return x_RD.MoveToOuterDisposeScope();
    }
}

/// <summary>Llama, as <c>LlamaForSequenceClassification</c> has it under its head.</summary>
internal sealed class Llama : Backbone
{
    private readonly Embedding embed_tokens;
    private readonly LlamaBlocks layers;
    private readonly RmsNorm norm;
    private readonly RotaryEmbedding rotary;
    private readonly LlamaConfig config;

    public Llama(LlamaConfig config, double dropout) : base("Llama")
    {
        this.config = config;
        embed_tokens = new Embedding(config.VocabularySize, config.Width);
        layers = nn.ModuleList([.. Enumerable.Range(0, config.LayerCount).Select(_ => new LlamaBlock(config, dropout))]);
        norm = new RmsNorm(config.Width, config.NormEpsilon);
        rotary = new RotaryEmbedding(config.Rotary);
        RegisterComponents();
    }

    public override int HiddenSize => config.Width;

    public override int VocabularySize => config.VocabularySize;

    public override int MaxPositions => config.Rotary.MaxPositions;

    public override string BaseModelPrefix => "model";

    public override string SequenceClassificationClass => "LlamaForSequenceClassification";

    public override double InitializerRange => config.InitializerRange;

    private protected override Tensor HiddenStates(PackedSequences sequences, LayerPass pass)
    {
        var angles = rotary.AnglesOf(sequences);
        var x_TD = embed_tokens.call(sequences.TokenIds);
        x_TD = pass.Through(layers, x_TD, (layer, x_TD, rows) => layer.forward(x_TD, rows, angles));
        return norm.call(x_TD);
    }

    public override void InitializeWeights() => Initialization.Apply(this, config.InitializerRange);

    // Rotary frequencies, which old versions of transformers saved as buffers.
    internal override bool Ignores(string parameterName) => parameterName.EndsWith("rotary_emb.inv_freq", StringComparison.Ordinal);
}
