using RewardModel.Checkpoints;
using RewardModel.Layers;
using RewardModel.Packing;
using static TorchSharp.torch;
using Gemma3TextBlocks = TorchSharp.Modules.ModuleList<RewardModel.Backbones.Gemma3TextBlock>;

namespace RewardModel.Backbones;

// Gemma 3 (Gemma Team, arXiv 2503.19786), the text model. Differences from Llama: norms that scale by 1 + w, before and after attention
// and MLP, and of every head's queries and keys; embeddings scaled by sqrt(D); attention scores scaled by a setting of their own; a
// sliding window in most layers, which have a rotary base of their own; GELU.
//
// T tokens, R of them computed in the layer, D width, N query heads, M key and value heads, H size of a head.

internal sealed record Gemma3TextConfig
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

    public required double AttentionScale { get; init; }

    public required AttentionReach Window { get; init; }

    public required bool[] HasWindow { get; init; }

    public required double InitializerRange { get; init; }

    public required RotarySettings FullRotary { get; init; }

    public required RotarySettings WindowRotary { get; init; }

    public static Gemma3TextConfig Read(ConfigReader reader)
    {
        var layerCount = reader.LayerCount("num_hidden_layers");
        var headSize = reader.Size("head_dim", 256);
        var pattern = reader.Int("sliding_window_pattern", 6);
        var (full, windowed) = RotaryFrequencies.ReadByLayerType(
            reader, headSize, reader.Size("max_position_embeddings", 131_072), ("rope_theta", 1_000_000), ("rope_local_base_freq", 10_000),
            scalesSliding: false);
        var scoreSize = reader.Double("query_pre_attn_scalar", 256);
        var config = new Gemma3TextConfig
        {
            VocabularySize = reader.Size("vocab_size"),
            Width = reader.Size("hidden_size"),
            InnerWidth = reader.Size("intermediate_size"),
            LayerCount = layerCount,
            HeadCount = reader.Size("num_attention_heads"),
            KeyHeadCount = reader.Int("num_key_value_heads", 4),
            HeadSize = headSize,
            Activation = reader.OneOf("hidden_activation", ActivationFunction.Names, "gelu_pytorch_tanh"),
            NormEpsilon = reader.Double("rms_norm_eps", 1e-6),
            HasAttentionBias = reader.Bool("attention_bias", false),
            AttentionScale = 1 / Math.Sqrt(scoreSize),
            Window = CommonSettings.Reach(reader, reader.IntOrNull("sliding_window", 4096)),
            HasWindow = CommonSettings.HasWindow(reader, layerCount, layer => pattern > 0 && (layer + 1) % pattern != 0),
            InitializerRange = reader.Double("initializer_range", 0.02),
            FullRotary = full,
            WindowRotary = windowed,
        };
        // Of the vocabulary head, and of text generation; an older name of hidden_activation, which counts; the default of
        // sliding_window_pattern, which newer files write beside layer_types.
        reader.Ignore("final_logit_softcapping", "cache_implementation", "hidden_act", "_sliding_window_pattern");
        reader.Ignore("attention_dropout");
        reader.MustBe("use_bidirectional_attention", supported: false);
        if (scoreSize <= 0)
            reader.Problem($"query_pre_attn_scalar is {scoreSize}; expected a number above 0");
        // transformers has the setting, and applies no cap.
        if (reader.OptionalDouble("attn_logit_softcapping") is { } cap)
            reader.Problem($"attn_logit_softcapping is {cap}; expected null: Gemma 3 does not cap the scores of attention");
        if (pattern < 1)
            reader.Problem($"sliding_window_pattern is {pattern}; expected at least 1");
        CommonSettings.CheckHeads(reader, config.HeadCount, config.KeyHeadCount);
        reader.Finish();
        return config;
    }
}

internal sealed class Gemma3TextAttention : nn.Module
{
    private readonly Linear q_proj;
    private readonly Linear k_proj;
    private readonly Linear v_proj;
    private readonly Linear o_proj;
    private readonly GemmaRmsNorm q_norm;
    private readonly GemmaRmsNorm k_norm;
    private readonly Gemma3TextConfig config;
    private readonly AttentionReach reach;
    private readonly double dropout;

    public Gemma3TextAttention(Gemma3TextConfig config, int layer, double dropout) : base(nameof(Gemma3TextAttention))
    {
        this.config = config;
        this.dropout = dropout;
        reach = config.HasWindow[layer] ? config.Window : AttentionReach.Causal;
        q_proj = new Linear(config.Width, config.HeadCount * config.HeadSize, config.HasAttentionBias);
        k_proj = new Linear(config.Width, config.KeyHeadCount * config.HeadSize, config.HasAttentionBias);
        v_proj = new Linear(config.Width, config.KeyHeadCount * config.HeadSize, config.HasAttentionBias);
        o_proj = new Linear(config.HeadCount * config.HeadSize, config.Width, config.HasAttentionBias);
        q_norm = new GemmaRmsNorm(config.HeadSize, config.NormEpsilon);
        k_norm = new GemmaRmsNorm(config.HeadSize, config.NormEpsilon);
        RegisterComponents();
    }

    public Tensor forward(Tensor x_TD, QueryRows rows, (Tensor Cos, Tensor Sin) angles)
    {
        var q_RNH = RotaryEmbedding.Rotate(
            q_norm.call(q_proj.call(rows.Of(x_TD)).view(-1, config.HeadCount, config.HeadSize)), rows.Of(angles));
        var k_TMH = RotaryEmbedding.Rotate(k_norm.call(k_proj.call(x_TD).view(-1, config.KeyHeadCount, config.HeadSize)), angles);
        var v_TMH = v_proj.call(x_TD).view(-1, config.KeyHeadCount, config.HeadSize);
        var options = new AttentionOptions(config.AttentionScale)
        {
            Dropout = training ? dropout : 0,
            Reach = reach,
            Precision = o_proj.Precision,
        };
        return o_proj.call(Attention.Apply(q_RNH, k_TMH, v_TMH, rows, options));
    }
}

internal sealed class Gemma3TextBlock : nn.Module
{
    private readonly GemmaRmsNorm input_layernorm;
    private readonly Gemma3TextAttention self_attn;
    private readonly GemmaRmsNorm post_attention_layernorm;
    private readonly GemmaRmsNorm pre_feedforward_layernorm;
    private readonly GatedMlp mlp;
    private readonly GemmaRmsNorm post_feedforward_layernorm;

    public Gemma3TextBlock(Gemma3TextConfig config, int layer, double dropout) : base(nameof(Gemma3TextBlock))
    {
        input_layernorm = new GemmaRmsNorm(config.Width, config.NormEpsilon);
        self_attn = new Gemma3TextAttention(config, layer, dropout);
        post_attention_layernorm = new GemmaRmsNorm(config.Width, config.NormEpsilon);
        pre_feedforward_layernorm = new GemmaRmsNorm(config.Width, config.NormEpsilon);
        mlp = new GatedMlp(config.Width, config.InnerWidth, config.Activation, hasBias: false);
        post_feedforward_layernorm = new GemmaRmsNorm(config.Width, config.NormEpsilon);
        RegisterComponents();
    }

    public Tensor forward(Tensor x_TD, QueryRows rows, (Tensor Cos, Tensor Sin) angles)
    {
        using var scope = NewDisposeScope();
        var attended_RD = self_attn.forward(input_layernorm.call(x_TD), rows, angles);
        var x_RD = rows.Of(x_TD).add(post_attention_layernorm.call(attended_RD));
        x_RD = x_RD.add(post_feedforward_layernorm.call(mlp.call(pre_feedforward_layernorm.call(x_RD))));
        return x_RD.MoveToOuterDisposeScope();
    }
}

/// <summary>Gemma 3, its text part, as <c>Gemma3TextForSequenceClassification</c> has it under its head.</summary>
internal sealed class Gemma3Text : Backbone
{
    private readonly Embedding embed_tokens;
    private readonly Gemma3TextBlocks layers;
    private readonly GemmaRmsNorm norm;
    private readonly RotaryEmbedding fullRotary;
    private readonly RotaryEmbedding windowRotary;
    private readonly Gemma3TextConfig config;

    public Gemma3Text(Gemma3TextConfig config, double dropout) : base("Gemma 3")
    {
        this.config = config;
        embed_tokens = new Embedding(config.VocabularySize, config.Width);
        layers = nn.ModuleList([.. Enumerable.Range(0, config.LayerCount).Select(layer => new Gemma3TextBlock(config, layer, dropout))]);
        norm = new GemmaRmsNorm(config.Width, config.NormEpsilon);
        fullRotary = new RotaryEmbedding(config.FullRotary);
        windowRotary = new RotaryEmbedding(config.WindowRotary);
        RegisterComponents();
    }

    public override int HiddenSize => config.Width;

    internal override IReadOnlyList<nn.Module> Layers => [.. layers];

    internal override LayerShape LayerShape => new(
        config.Width,
        new AttentionShape(config.HeadCount, config.KeyHeadCount, config.HeadSize) { IsRotated = true, HasNorms = true },
        new MlpShape(config.InnerWidth, config.Activation) { IsGated = true })
    {
        NormCount = 4,
    };

    public override int VocabularySize => config.VocabularySize;

    public override int MaxPositions => Math.Min(config.FullRotary.MaxPositions, config.WindowRotary.MaxPositions);

    public override string BaseModelPrefix => "model";

    public override string SequenceClassificationClass => "Gemma3TextForSequenceClassification";

    public override double InitializerRange => config.InitializerRange;

    private protected override Tensor HiddenStates(ForwardPass pass, QueryRows lastRows)
    {
        var (fullAngles, windowAngles) = (pass.AnglesOf(fullRotary), pass.AnglesOf(windowRotary));
        // The factor in the precision of the weights, as the reference has it.
        var x_TD = embed_tokens.call(pass.Sequences.TokenIds).mul(MathF.Sqrt(config.Width));
        x_TD = pass.Through(layers.Index(), x_TD, lastRows, (numbered, x_TD, rows) =>
            numbered.Item.forward(x_TD, rows, config.HasWindow[numbered.Index] ? windowAngles : fullAngles));
        return norm.call(x_TD);
    }

    // Matrices N(0, range), all else 0: norms add 1 to their weights.
    public override void InitializeWeights()
    {
        foreach (var (name, parameter) in named_parameters())
            if (parameter.dim() >= 2)
                Initialization.Apply(name, parameter, config.InitializerRange);
            else
                nn.init.zeros_(parameter);
    }
}
