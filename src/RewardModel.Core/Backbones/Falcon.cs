using RewardModel.Checkpoints;
using RewardModel.Layers;
using RewardModel.Packing;
using static TorchSharp.torch;
using FalconBlocks = TorchSharp.Modules.ModuleList<RewardModel.Backbones.FalconBlock>;

namespace RewardModel.Backbones;

// Falcon (Almazrouei et al., arXiv 2311.16867). Differences from Llama: attention and MLP side by side, of one norm as in the 7B model or of
// a norm each as in the 40B one, or one after the other as in the models on RefinedWeb alone; layer norms with bias; one projection whose
// outputs are, for each key head, its queries, its key and its value; a plain MLP with GELU; where alibi says so, ALiBi in the place of
// rotary positions.
//
// T tokens, R of them computed in the layer, D width, N query heads, M key and value heads, H size of a head, P positions.

/// <summary>Where a layer's norms stand.</summary>
internal enum FalconNorms
{
    /// <summary>One, which attention and MLP both read.</summary>
    One,

    /// <summary>One for attention and one for the MLP, of the same hidden state.</summary>
    OneEach,

    /// <summary>The MLP's reads what attention has been added to.</summary>
    OneAfterTheOther,
}

internal sealed record FalconConfig : IBackboneConfig
{
    public required int VocabularySize { get; init; }

    public required int Width { get; init; }

    public required int InnerWidth { get; init; }

    public required int LayerCount { get; init; }

    public required int HeadCount { get; init; }

    public required int KeyHeadCount { get; init; }

    public required string Activation { get; init; }

    public required double NormEpsilon { get; init; }

    public required FalconNorms Norms { get; init; }

    public required bool HasBias { get; init; }

    public required bool HasAlibi { get; init; }

    public required double InitializerRange { get; init; }

    public required RotarySettings Rotary { get; init; }

    public int HeadSize => Width / HeadCount;

    public long EmbeddingSize => (long)VocabularySize * Width;

    public LayerShape LayerShape => new(
        Width,
        new AttentionShape(HeadCount, KeyHeadCount, HeadSize) { IsFused = true, IsRotated = !HasAlibi },
        new MlpShape(InnerWidth, Activation))
    {
        IsParallel = Norms != FalconNorms.OneAfterTheOther,
        NormCount = Norms == FalconNorms.One ? 1 : 2,
    };

    public static FalconConfig Read(ConfigReader reader)
    {
        var width = CommonSettings.Either(reader, "hidden_size", "n_embed", ConfigLimits.Width);
        var headCount = reader.Size("num_attention_heads");
        var isNew = reader.Bool("new_decoder_architecture", false);
        var hasOneKeyHead = reader.Bool("multi_query", true);
        var keyHeadCount = reader.OptionalInt("num_kv_heads") ?? headCount;
        var config = new FalconConfig
        {
            VocabularySize = CommonSettings.VocabularySize(reader),
            Width = width,
            InnerWidth = reader.Size("ffn_hidden_size", 4 * width, ConfigLimits.InnerWidth),
            LayerCount = CommonSettings.LayerCount(reader),
            HeadCount = headCount,
            KeyHeadCount = isNew ? keyHeadCount : hasOneKeyHead ? 1 : headCount,
            Activation = reader.OneOf("activation", ActivationFunction.Names, "gelu"),
            NormEpsilon = CommonSettings.NormEpsilon(reader, "layer_norm_epsilon", 1e-5),
            Norms = ReadNorms(reader, isNew),
            HasBias = reader.Bool("bias", false),
            HasAlibi = reader.Bool("alibi", false),
            InitializerRange = CommonSettings.InitializerRange(reader),
            Rotary = RotaryFrequencies.Read(reader, headCount > 0 ? width / headCount : 0, CommonSettings.Positions(reader, 2048)),
        };
        // transformers reads neither.
        reader.Ignore("apply_residual_connection_post_layernorm", "ff_factor");
        CommonSettings.CheckWidth(reader, width, headCount);
        if (config.KeyHeadCount < 1 || headCount % config.KeyHeadCount != 0)
            reader.Problem(
                $"num_attention_heads is {headCount} and num_kv_heads {config.KeyHeadCount}; expected the first to be a multiple of the second");
        reader.Finish();
        return config;
    }

    private static FalconNorms ReadNorms(ConfigReader reader, bool isNew)
    {
        var isParallel = reader.Bool("parallel_attn", true);
        var count = reader.OptionalInt("num_ln_in_parallel_attn") ?? (isNew ? 2 : 1);
        if (isNew && !isParallel)
            reader.Problem("new_decoder_architecture is true and parallel_attn false; expected both to be true, as layers have no other form");
        if (isParallel && (count is not (1 or 2) || (count == 2 && !isNew)))
            reader.Problem(
                $"num_ln_in_parallel_attn is {count}; expected {(isNew ? "1 or 2" : "1, as 2 need new_decoder_architecture")}");
        return !isParallel ? FalconNorms.OneAfterTheOther : count == 2 ? FalconNorms.OneEach : FalconNorms.One;
    }
}

internal sealed class FalconAttention : nn.Module
{
    private readonly Linear query_key_value;
    private readonly Linear dense;
    private readonly FalconConfig config;
    private readonly double dropout;

    public FalconAttention(FalconConfig config, double dropout) : base(nameof(FalconAttention))
    {
        this.config = config;
        this.dropout = dropout;
        query_key_value = new Linear(config.Width, (config.HeadCount + 2 * config.KeyHeadCount) * config.HeadSize, config.HasBias);
        dense = new Linear(config.Width, config.Width, config.HasBias);
        RegisterComponents();
    }

    public Tensor forward(Tensor x_TD, QueryRows rows, FalconPositions positions)
    {
        var groups = config.HeadCount / config.KeyHeadCount;
        var qkv = query_key_value.call(x_TD).view(-1, config.KeyHeadCount, groups + 2, config.HeadSize);
        var q_RNH = rows.Of(qkv.narrow(2, 0, groups).reshape(-1, config.HeadCount, config.HeadSize));
        var (k_TMH, v_TMH) = (qkv.select(2, groups), qkv.select(2, groups + 1));
        if (positions.Angles is { } angles)
            (q_RNH, k_TMH) = (RotaryEmbedding.Rotate(q_RNH, rows.Of(angles)), RotaryEmbedding.Rotate(k_TMH, angles));
        var options = new AttentionOptions(1 / Math.Sqrt(config.HeadSize))
        {
            // Only with ALiBi.
            Dropout = training && config.HasAlibi ? dropout : 0,
            Precision = dense.Precision,
            KeyBias_NP = positions.Bias_NP,
        };
        return dense.call(Attention.Apply(q_RNH, k_TMH, v_TMH, rows, options));
    }
}

/// <summary>What makes the order of tokens count: one of both.</summary>
internal readonly record struct FalconPositions((Tensor Cos, Tensor Sin)? Angles, Tensor? Bias_NP);

internal sealed class FalconMlp : nn.Module<Tensor, Tensor>
{
    private readonly Linear dense_h_to_4h;
    private readonly Linear dense_4h_to_h;
    private readonly ActivationFunction activation;

    public FalconMlp(FalconConfig config) : base(nameof(FalconMlp))
    {
        dense_h_to_4h = new Linear(config.Width, config.InnerWidth, config.HasBias);
        dense_4h_to_h = new Linear(config.InnerWidth, config.Width, config.HasBias);
        activation = ActivationFunction.Named(config.Activation);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x_TD) => dense_4h_to_h.After(activation, dense_h_to_4h.call(x_TD));
}

internal sealed class FalconBlock : nn.Module
{
    private readonly LayerNorm? input_layernorm;
    private readonly LayerNorm? ln_attn;
    private readonly LayerNorm? ln_mlp;
    private readonly FalconAttention self_attention;
    private readonly LayerNorm? post_attention_layernorm;
    private readonly FalconMlp mlp;
    private readonly double dropout;

    public FalconBlock(FalconConfig config, double dropout) : base(nameof(FalconBlock))
    {
        this.dropout = dropout;
        if (config.Norms == FalconNorms.OneEach)
            (ln_attn, ln_mlp) = (Norm(), Norm());
        else
            input_layernorm = Norm();
        self_attention = new FalconAttention(config, dropout);
        if (config.Norms == FalconNorms.OneAfterTheOther)
            post_attention_layernorm = Norm();
        mlp = new FalconMlp(config);
        RegisterComponents();

        LayerNorm Norm() => new(config.Width, config.NormEpsilon);
    }

    public Tensor forward(Tensor x_TD, QueryRows rows, FalconPositions positions)
    {
        using var scope = NewDisposeScope();
        var (residual_TD, normed_TD) = (ln_attn ?? input_layernorm!).Fork(x_TD);
        var (residual_RD, attention_RD) = (rows.Of(residual_TD), self_attention.forward(normed_TD, rows, positions));
        if (post_attention_layernorm is null)
        {
            var change_RD = attention_RD.add(mlp.call(ln_mlp is null ? rows.Of(normed_TD) : ln_mlp.call(residual_RD)));
            return Residual.Add(residual_RD, Dropout.Apply(change_RD, dropout, training)).MoveToOuterDisposeScope();
        }
        var x_RD = Residual.Add(residual_RD, Dropout.Apply(attention_RD, dropout, training));
        var (attended_RD, normed_RD) = post_attention_layernorm.Fork(x_RD);
        return Residual.Add(attended_RD, Dropout.Apply(mlp.call(normed_RD), dropout, training)).MoveToOuterDisposeScope();
    }
}

/// <summary>Falcon, as <c>FalconForSequenceClassification</c> has it under its head.</summary>
internal sealed class Falcon : Backbone
{
    private readonly Embedding word_embeddings;
    private readonly FalconBlocks h;
    private readonly LayerNorm ln_f;
    private readonly RotaryEmbedding rotary;
    private readonly Alibi alibi;
    private readonly FalconConfig config;

    public Falcon(FalconConfig config, double dropout) : base("Falcon")
    {
        this.config = config;
        word_embeddings = new Embedding(config.VocabularySize, config.Width);
        h = nn.ModuleList([.. Enumerable.Range(0, config.LayerCount).Select(_ => new FalconBlock(config, dropout))]);
        ln_f = new LayerNorm(config.Width, config.NormEpsilon);
        rotary = new RotaryEmbedding(config.Rotary);
        // It is added before scores are scaled, and was trained in bfloat16.
        alibi = new Alibi(config.HeadCount, bfloat16, 1 / Math.Sqrt(config.HeadSize));
        RegisterComponents();
    }

    public override int HiddenSize => config.Width;

    internal override IReadOnlyList<nn.Module> Layers => [.. h];

    internal override LayerShape LayerShape => config.LayerShape;

    public override int VocabularySize => config.VocabularySize;

    public override int MaxPositions => config.Rotary.MaxPositions;

    public override string BaseModelPrefix => "transformer";

    public override string SequenceClassificationClass => "FalconForSequenceClassification";

    public override double InitializerRange => config.InitializerRange;

    private protected override Tensor HiddenStates(ForwardPass pass, QueryRows lastRows)
    {
        var positions = config.HasAlibi ? new FalconPositions(null, pass.BiasOf(alibi)) : new FalconPositions(pass.AnglesOf(rotary), null);
        var x_TD = word_embeddings.call(pass.Sequences.TokenIds);
        x_TD = pass.Through(h, x_TD, lastRows, (block, x_TD, rows) => block.forward(x_TD, rows, positions));
        return ln_f.call(x_TD);
    }

    public override void InitializeWeights() => Initialization.Apply(this, config.InitializerRange);
}
