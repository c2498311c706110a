using RewardModel.Checkpoints;
using RewardModel.Layers;
using RewardModel.Packing;
using static TorchSharp.torch;
using OptBlocks = TorchSharp.Modules.ModuleList<RewardModel.Backbones.OptBlock>;

namespace RewardModel.Backbones;

// OPT (Zhang et al., arXiv 2205.01068). Differences from Llama: learned positions from row 2 of their table on, layer norms with bias,
// a plain MLP with ReLU. The model of 350M parameters norms after each addition, and its embeddings are smaller than its layers.
//
// T tokens, R of them computed in the layer, D width, N heads, H size of a head.

internal sealed record OptConfig
{
    public required int VocabularySize { get; init; }

    public required int Positions { get; init; }

    public required int Width { get; init; }

    public required int EmbeddingWidth { get; init; }

    public required int InnerWidth { get; init; }

    public required int LayerCount { get; init; }

    public required int HeadCount { get; init; }

    public required string Activation { get; init; }

    public required bool NormsBefore { get; init; }

    public required bool HasFinalNorm { get; init; }

    public required bool HasNormWeights { get; init; }

    public required bool HasBias { get; init; }

    public required double InitializerRange { get; init; }

    public static OptConfig Read(ConfigReader reader)
    {
        var width = reader.Size("hidden_size");
        var normsBefore = reader.Bool("do_layer_norm_before", true);
        // Models fine-tuned with transformers before 4.20.1 have no norm at the end.
        var isFinalNormRemoved = reader.Bool("_remove_final_layer_norm", false);
        var config = new OptConfig
        {
            VocabularySize = reader.Size("vocab_size"),
            Positions = reader.Size("max_position_embeddings", 2048),
            Width = width,
            EmbeddingWidth = reader.Size("word_embed_proj_dim", width),
            InnerWidth = reader.Size("ffn_dim"),
            LayerCount = reader.LayerCount("num_hidden_layers"),
            HeadCount = reader.Size("num_attention_heads"),
            Activation = reader.OneOf("activation_function", ActivationFunction.Names, "relu"),
            NormsBefore = normsBefore,
            HasFinalNorm = normsBefore && !isFinalNormRemoved,
            HasNormWeights = reader.Bool("layer_norm_elementwise_affine", true),
            HasBias = reader.Bool("enable_bias", true),
            InitializerRange = reader.Double("init_std", 0.02),
        };
        // Leaving out whole layers in training is not the caller's dropout rate, and no published model was trained so.
        reader.MustBe("layerdrop", supported: 0);
        // The third is read by no version of transformers any more.
        reader.Ignore("dropout", "attention_dropout", "activation_dropout");
        CommonSettings.CheckWidth(reader, width, config.HeadCount);
        reader.Finish();
        return config;
    }
}

internal sealed class OptAttention : nn.Module
{
    private readonly Linear q_proj;
    private readonly Linear k_proj;
    private readonly Linear v_proj;
    private readonly Linear out_proj;
    private readonly OptConfig config;
    private readonly double dropout;

    public OptAttention(OptConfig config, double dropout) : base(nameof(OptAttention))
    {
        this.config = config;
        this.dropout = dropout;
        q_proj = new Linear(config.Width, config.Width, config.HasBias);
        k_proj = new Linear(config.Width, config.Width, config.HasBias);
        v_proj = new Linear(config.Width, config.Width, config.HasBias);
        out_proj = new Linear(config.Width, config.Width, config.HasBias);
        RegisterComponents();
    }

    public Tensor forward(Tensor x_TD, QueryRows rows)
    {
        var headSize = config.Width / config.HeadCount;
        var q_RNH = q_proj.call(rows.Of(x_TD)).view(-1, config.HeadCount, headSize);
        var k_TNH = k_proj.call(x_TD).view(-1, config.HeadCount, headSize);
        var v_TNH = v_proj.call(x_TD).view(-1, config.HeadCount, headSize);
        var options = new AttentionOptions(1 / Math.Sqrt(headSize))
        {
            Dropout = training ? dropout : 0,
            Precision = out_proj.Precision,
        };
        return out_proj.call(Attention.Apply(q_RNH, k_TNH, v_TNH, rows, options));
    }
}

internal sealed class OptBlock : nn.Module
{
    private readonly OptAttention self_attn;
    private readonly LayerNorm self_attn_layer_norm;
    private readonly Linear fc1;
    private readonly Linear fc2;
    private readonly LayerNorm final_layer_norm;
    private readonly ActivationFunction activation;
    private readonly bool normsBefore;
    private readonly double dropout;

    public OptBlock(OptConfig config, double dropout) : base(nameof(OptBlock))
    {
        normsBefore = config.NormsBefore;
        this.dropout = dropout;
        self_attn = new OptAttention(config, dropout);
        self_attn_layer_norm = OptDecoder.Norm(config);
        fc1 = new Linear(config.Width, config.InnerWidth, config.HasBias);
        fc2 = new Linear(config.InnerWidth, config.Width, config.HasBias);
        final_layer_norm = OptDecoder.Norm(config);
        activation = ActivationFunction.Named(config.Activation);
        RegisterComponents();
    }

    public Tensor forward(Tensor x_TD, QueryRows rows)
    {
        using var scope = NewDisposeScope();
        var attended_RD = self_attn.forward(normsBefore ? self_attn_layer_norm.call(x_TD) : x_TD, rows);
        var x_RD = Add(rows.Of(x_TD), attended_RD, self_attn_layer_norm);
        var inner_RD = fc2.After(activation, fc1.call(normsBefore ? final_layer_norm.call(x_RD) : x_RD));
        return Add(x_RD, inner_RD, final_layer_norm).MoveToOuterDisposeScope();
    }

    private Tensor Add(Tensor x_RD, Tensor change_RD, LayerNorm norm)
    {
        var sum_RD = x_RD.add(Dropout.Apply(change_RD, dropout, training));
        return normsBefore ? sum_RD : norm.call(sum_RD);
    }
}

internal sealed class OptDecoder : nn.Module
{
    /// <summary>Rows of the position table before that of position 0, left over from another library's padding.</summary>
    private const int firstPositionRow = 2;

    private readonly Embedding embed_tokens;
    private readonly Embedding embed_positions;
    private readonly Linear? project_in;
    private readonly OptBlocks layers;
    private readonly LayerNorm? final_layer_norm;
    private readonly Linear? project_out;

    public OptDecoder(OptConfig config, double dropout) : base(nameof(OptDecoder))
    {
        embed_tokens = new Embedding(config.VocabularySize, config.EmbeddingWidth);
        embed_positions = new Embedding(config.Positions + firstPositionRow, config.Width);
        layers = nn.ModuleList([.. Enumerable.Range(0, config.LayerCount).Select(_ => new OptBlock(config, dropout))]);
        if (config.HasFinalNorm)
            final_layer_norm = Norm(config);
        if (config.EmbeddingWidth != config.Width)
        {
            project_in = new Linear(config.EmbeddingWidth, config.Width, hasBias: false);
            project_out = new Linear(config.Width, config.EmbeddingWidth, hasBias: false);
        }
        RegisterComponents();
    }

    public IReadOnlyList<nn.Module> Layers => [.. layers];

    public static LayerNorm Norm(OptConfig config) =>
        new(config.Width, epsilon: 1e-5, hasBias: config.HasNormWeights, hasWeight: config.HasNormWeights);

    public Tensor forward(ForwardPass pass, QueryRows lastRows)
    {
        var x_TD = embed_tokens.call(pass.Sequences.TokenIds);
        x_TD = (project_in?.call(x_TD) ?? x_TD).add(embed_positions.call(pass.Sequences.PositionIds.add(firstPositionRow)));
        x_TD = pass.Through(layers, x_TD, lastRows, (layer, x_TD, rows) => layer.forward(x_TD, rows));
        x_TD = final_layer_norm?.call(x_TD) ?? x_TD;
        return project_out?.call(x_TD) ?? x_TD;
    }
}

/// <summary>OPT, as <c>OPTForSequenceClassification</c> has it under its head.</summary>
internal sealed class Opt : Backbone
{
    private readonly OptDecoder decoder;
    private readonly OptConfig config;

    public Opt(OptConfig config, double dropout) : base("OPT")
    {
        this.config = config;
        decoder = new OptDecoder(config, dropout);
        RegisterComponents();
    }

    public override int HiddenSize => config.EmbeddingWidth;

    internal override IReadOnlyList<nn.Module> Layers => decoder.Layers;

    internal override LayerShape LayerShape => new(
        config.Width,
        new AttentionShape(config.HeadCount, config.HeadCount, config.Width / config.HeadCount),
        new MlpShape(config.InnerWidth, config.Activation));

    public override int VocabularySize => config.VocabularySize;

    public override int MaxPositions => config.Positions;

    public override string BaseModelPrefix => "model";

    public override string SequenceClassificationClass => "OPTForSequenceClassification";

    public override double InitializerRange => config.InitializerRange;

    private protected override Tensor HiddenStates(ForwardPass pass, QueryRows lastRows) =>
        decoder.forward(pass, lastRows);

    public override void InitializeWeights() => Initialization.Apply(this, config.InitializerRange);
}
