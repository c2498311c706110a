using RewardModel.Checkpoints;
using RewardModel.Layers;
using RewardModel.Packing;
using static TorchSharp.torch;
using ModernBertLayers = TorchSharp.Modules.ModuleList<RewardModel.Backbones.ModernBertEncoderLayer>;
using Parameter = TorchSharp.Modules.Parameter;

namespace RewardModel.Backbones;

// ModernBERT (Warner et al., arXiv 2412.13663). Differences from Llama: tokens see both ways, in most layers only so far, and those
// layers have a rotary base of their own; layer norms, one more after the embedding and none before the first attention; one projection
// for q, k and v, one for both halves of the MLP; a head of two layers on the mean of all tokens, or on the first.
//
// T tokens, D width, N heads, H size of a head, I inner width, S scored sequences.

internal sealed record ModernBertConfig : IBackboneConfig
{
    public required int VocabularySize { get; init; }

    public required int Width { get; init; }

    public required int InnerWidth { get; init; }

    public required int LayerCount { get; init; }

    public required int HeadCount { get; init; }

    public required string Activation { get; init; }

    public required double NormEpsilon { get; init; }

    public required bool HasNormBias { get; init; }

    public required bool HasAttentionBias { get; init; }

    public required bool HasMlpBias { get; init; }

    public required AttentionReach LocalReach { get; init; }

    public required bool[] IsLocal { get; init; }

    public required RotarySettings GlobalRotary { get; init; }

    public required RotarySettings LocalRotary { get; init; }

    public required string ClassifierPooling { get; init; }

    public required string ClassifierActivation { get; init; }

    public required bool HasClassifierBias { get; init; }

    public required double InitializerRange { get; init; }

    public required double InitializerCutoff { get; init; }

    public long EmbeddingSize => (long)VocabularySize * Width;

    public LayerShape LayerShape => new(
        Width,
        new AttentionShape(HeadCount, HeadCount, Width / HeadCount) { IsFused = true, IsRotated = true },
        new MlpShape(InnerWidth, Activation) { IsGated = true, IsFused = true });

    public static ModernBertConfig Read(ConfigReader reader)
    {
        var (width, headCount, layerCount) = (
            reader.Size("hidden_size"), reader.Size("num_attention_heads"), CommonSettings.LayerCount(reader));
        var globalEvery = reader.Int("global_attn_every_n_layers", 3);
        var (global, local) = RotaryFrequencies.ReadByLayerType(
            reader, headCount > 0 ? width / headCount : 0, CommonSettings.Positions(reader, 8192),
            ("global_rope_theta", 160_000), ("local_rope_theta", 10_000), scalesSliding: true);
        var config = new ModernBertConfig
        {
            VocabularySize = CommonSettings.VocabularySize(reader),
            Width = width,
            InnerWidth = CommonSettings.InnerWidth(reader),
            LayerCount = layerCount,
            HeadCount = headCount,
            Activation = reader.OneOf("hidden_activation", ActivationFunction.Names, "gelu"),
            NormEpsilon = CommonSettings.NormEpsilon(reader, "norm_eps", 1e-5),
            HasNormBias = reader.Bool("norm_bias", false),
            HasAttentionBias = reader.Bool("attention_bias", false),
            HasMlpBias = reader.Bool("mlp_bias", false),
            // The setting is the width of the whole window.
            LocalReach = AttentionReach.Within(reader.Size("local_attention", 128, ConfigLimits.Positions) / 2),
            IsLocal = CommonSettings.HasWindow(reader, layerCount, layer => globalEvery > 0 && layer % globalEvery != 0),
            GlobalRotary = global,
            LocalRotary = local,
            ClassifierPooling = reader.OneOf("classifier_pooling", ["cls", "mean"], "cls"),
            ClassifierActivation = reader.OneOf("classifier_activation", ActivationFunction.Names, "gelu"),
            HasClassifierBias = reader.Bool("classifier_bias", false),
            InitializerRange = CommonSettings.InitializerRange(reader),
            InitializerCutoff = reader.Double("initializer_cutoff_factor", ConfigLimits.InitializerCutoff, 2),
        };
        // The head that predicts masked tokens, its loss, and which kernels to use.
        reader.Ignore("decoder_bias", "sparse_prediction", "sparse_pred_ignore_index", "deterministic_flash_attn", "reference_compile",
            "repad_logits_with_grad");
        reader.Ignore("attention_dropout", "embedding_dropout", "mlp_dropout", "classifier_dropout");
        // Written into published files, and read by no version of transformers: positions are rotary, and norm_eps counts.
        reader.Ignore("position_embedding_type", "layer_norm_eps");
        CommonSettings.CheckWidth(reader, width, headCount);
        if (reader.DoubleOrNull("local_rope_theta", 10_000) is null)
            reader.Problem("local_rope_theta is null; expected a number: to older versions of transformers null means global_rope_theta");
        if (globalEvery < 1)
            reader.Problem($"global_attn_every_n_layers is {globalEvery}; expected at least 1");
        reader.Finish();
        return config;
    }

    // Matrices from a normal distribution cut off on both sides; those that write into the residual stream smaller by sqrt(2 layers).
    public void Initialize(string name, Parameter parameter)
    {
        var isOutput = name.EndsWith("Wo.weight", StringComparison.Ordinal) || name.EndsWith("dense.weight", StringComparison.Ordinal);
        var deviation = isOutput ? InitializerRange / Math.Sqrt(2.0 * LayerCount) : InitializerRange;
        if (parameter.dim() >= 2)
            Initialization.TruncatedNormal(parameter, deviation, InitializerCutoff);
        else
            Initialization.Apply(name, parameter, deviation);
    }
}

internal sealed class ModernBertAttention : nn.Module
{
    private readonly Linear Wqkv;
    private readonly Linear Wo;
    private readonly ModernBertConfig config;
    private readonly AttentionReach reach;
    private readonly double dropout;

    public ModernBertAttention(ModernBertConfig config, bool isLocal, double dropout) : base(nameof(ModernBertAttention))
    {
        this.config = config;
        this.dropout = dropout;
        reach = isLocal ? config.LocalReach : AttentionReach.Full;
        Wqkv = new Linear(config.Width, 3 * config.Width, config.HasAttentionBias);
        Wo = new Linear(config.Width, config.Width, config.HasAttentionBias);
        RegisterComponents();
    }

    public Tensor forward(Tensor x_TD, PackedSequences sequences, (Tensor Cos, Tensor Sin) angles)
    {
        var headSize = config.Width / config.HeadCount;
        var qkv = Wqkv.call(x_TD).view(-1, 3, config.HeadCount, headSize).unbind(1);
        var (q_TNH, k_TNH) = (RotaryEmbedding.Rotate(qkv[0], angles), RotaryEmbedding.Rotate(qkv[1], angles));
        var options = new AttentionOptions(1 / Math.Sqrt(headSize))
        {
            Dropout = training ? dropout : 0,
            Reach = reach,
            Precision = Wo.Precision,
        };
        return Dropout.Apply(Wo.call(Attention.Apply(q_TNH, k_TNH, qkv[2], sequences.AllRows, options)), dropout, training);
    }
}

internal sealed class ModernBertMlp : nn.Module<Tensor, Tensor>
{
    private readonly Linear Wi;
    private readonly Linear Wo;
    private readonly ActivationFunction activation;
    private readonly double dropout;

    public ModernBertMlp(ModernBertConfig config, double dropout) : base(nameof(ModernBertMlp))
    {
        this.dropout = dropout;
        Wi = new Linear(config.Width, 2 * config.InnerWidth, config.HasMlpBias);
        Wo = new Linear(config.InnerWidth, config.Width, config.HasMlpBias);
        activation = ActivationFunction.Named(config.Activation);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x_TD)
    {
        // Unlike elsewhere the half that goes through the activation stands first.
        var halves_TI = Wi.call(x_TD).split(Wo.weight.size(1), 1);
        return training && dropout > 0
            ? Wo.call(Dropout.Apply(activation.Of(halves_TI[0]).mul(halves_TI[1]), dropout, training))
            : Wo.After(activation, halves_TI[0], halves_TI[1]);
    }
}

internal sealed class ModernBertEncoderLayer : nn.Module
{
    private readonly LayerNorm? attn_norm;
    private readonly ModernBertAttention attn;
    private readonly LayerNorm mlp_norm;
    private readonly ModernBertMlp mlp;

    public ModernBertEncoderLayer(ModernBertConfig config, int number, double dropout) : base(nameof(ModernBertEncoderLayer))
    {
        // The embedding's norm stands right before the first layer's attention.
        attn_norm = number == 0 ? null : new LayerNorm(config.Width, config.NormEpsilon, config.HasNormBias);
        attn = new ModernBertAttention(config, config.IsLocal[number], dropout);
        mlp_norm = new LayerNorm(config.Width, config.NormEpsilon, config.HasNormBias);
        mlp = new ModernBertMlp(config, dropout);
        RegisterComponents();
    }

    public Tensor forward(Tensor x_TD, PackedSequences sequences, (Tensor Cos, Tensor Sin) angles)
    {
        using var scope = NewDisposeScope();
        x_TD = x_TD.add(attn.forward(attn_norm?.call(x_TD) ?? x_TD, sequences, angles));
        x_TD = x_TD.add(mlp.call(mlp_norm.call(x_TD)));
        return x_TD.MoveToOuterDisposeScope();
    }
}

internal sealed class ModernBertEmbeddings : nn.Module<Tensor, Tensor>
{
    private readonly Embedding tok_embeddings;
    private readonly LayerNorm norm;

    public ModernBertEmbeddings(ModernBertConfig config) : base(nameof(ModernBertEmbeddings))
    {
        tok_embeddings = new Embedding(config.VocabularySize, config.Width);
        norm = new LayerNorm(config.Width, config.NormEpsilon, config.HasNormBias);
        RegisterComponents();
    }

    public override Tensor forward(Tensor ids_T) => norm.call(tok_embeddings.call(ids_T));
}

/// <summary>ModernBERT, as <c>ModernBertForSequenceClassification</c> has it under its head.</summary>
internal sealed class ModernBert : Backbone
{
    private readonly ModernBertEmbeddings embeddings;
    private readonly ModernBertLayers layers;
    private readonly LayerNorm final_norm;
    private readonly RotaryEmbedding globalRotary;
    private readonly RotaryEmbedding localRotary;
    private readonly ModernBertConfig config;
    private readonly double dropout;

    public ModernBert(ModernBertConfig config, double dropout) : base("ModernBERT")
    {
        this.config = config;
        this.dropout = dropout;
        embeddings = new ModernBertEmbeddings(config);
        layers = nn.ModuleList([
            .. Enumerable.Range(0, config.LayerCount).Select(number => new ModernBertEncoderLayer(config, number, dropout))]);
        final_norm = new LayerNorm(config.Width, config.NormEpsilon, config.HasNormBias);
        globalRotary = new RotaryEmbedding(config.GlobalRotary);
        localRotary = new RotaryEmbedding(config.LocalRotary);
        RegisterComponents();
    }

    public override int HiddenSize => config.Width;

    internal override IReadOnlyList<nn.Module> Layers => [.. layers];

    internal override LayerShape LayerShape => config.LayerShape;

    public override int VocabularySize => config.VocabularySize;

    public override bool IsCausal => false;

    public override int MaxPositions => Math.Min(config.GlobalRotary.MaxPositions, config.LocalRotary.MaxPositions);

    public override string BaseModelPrefix => "model";

    public override string SequenceClassificationClass => "ModernBertForSequenceClassification";

    public override double InitializerRange => config.InitializerRange;

    internal override RewardHead CreateHead(int outputs) => new ModernBertHead(config, outputs, dropout);

    /// <summary>The mean of each sequence's hidden states, or the first of them, [S, D].</summary>
    public override Tensor SequenceStates(ForwardPass pass) =>
        config.ClassifierPooling == "mean"
            ? Means(AllStates(pass), pass.Sequences)
            : base.SequenceStates(pass);

    private protected override Tensor HiddenStates(ForwardPass pass, QueryRows lastRows)
    {
        var (globalAngles, localAngles) = (pass.AnglesOf(globalRotary), pass.AnglesOf(localRotary));
        var x_TD = Dropout.Apply(embeddings.call(pass.Sequences.TokenIds), dropout, training);
        x_TD = pass.Through(layers.Index(), x_TD, lastRows, (numbered, x_TD, _) =>
            numbered.Item.forward(x_TD, pass.Sequences, config.IsLocal[numbered.Index] ? localAngles : globalAngles));
        return final_norm.call(x_TD);
    }

    public override void InitializeWeights()
    {
        foreach (var (name, parameter) in named_parameters())
            config.Initialize(name, parameter);
    }

    // Sequence by sequence: the rounding of a mean must not depend on which other sequences there are.
    private static Tensor Means(Tensor hidden_TD, PackedSequences sequences)
    {
        var segments_TD = hidden_TD.split([.. sequences.Segments.Select(segment => (long)segment.Length)], 0);
        return cat([.. sequences.ScoredSegments.Select(index => segments_TD[index].mean([0], keepdim: true))]);
    }
}

internal sealed class ModernBertPredictionHead : nn.Module<Tensor, Tensor>
{
    private readonly Linear dense;
    private readonly LayerNorm norm;
    private readonly ActivationFunction activation;

    public ModernBertPredictionHead(ModernBertConfig config) : base(nameof(ModernBertPredictionHead))
    {
        dense = new Linear(config.Width, config.Width, config.HasClassifierBias);
        norm = new LayerNorm(config.Width, config.NormEpsilon, config.HasNormBias);
        activation = ActivationFunction.Named(config.ClassifierActivation);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x_SD) => norm.call(activation.Of(dense.call(x_SD)));
}

internal sealed class ModernBertHead : RewardHead
{
    private readonly ModernBertPredictionHead head;
    private readonly Linear classifier;
    private readonly ModernBertConfig config;
    private readonly double dropout;

    public ModernBertHead(ModernBertConfig config, int outputs, double dropout) : base(nameof(ModernBertHead))
    {
        this.config = config;
        this.dropout = dropout;
        head = new ModernBertPredictionHead(config);
        classifier = new Linear(config.Width, outputs, hasBias: true);
        RegisterComponents();
    }

    public override string OutputWeight => "classifier.weight";

    public override Tensor Outputs(Tensor states_SD) =>
        classifier.call(Dropout.Apply(head.call(states_SD.to(float32)), dropout, training));

    internal override void Initialize(string name, Parameter parameter, double range) => config.Initialize(name, parameter);
}
