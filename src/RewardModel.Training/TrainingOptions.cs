using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using RewardModel.Adapters;
using RewardModel.Ranking;
using RewardModel.Training.Optimization;
using RewardModel.Training.Reporting;

namespace RewardModel.Training;

/// <summary>
/// How a model is trained. Messages name an option by its property, followed by its name in run files and on the command line.
/// </summary>
public record TrainingOptions
{
    /// <summary>Passes over the training lists. Default 1. Ignored when <see cref="Steps"/> is given.</summary>
    [JsonPropertyName("epochs")]
    public int Epochs { get; init; } = 1;

    /// <summary>Optimiser steps of the whole run, up to 100,000,000; null (default): as many as <see cref="Epochs"/> need.</summary>
    [JsonPropertyName("steps")]
    public int? Steps { get; init; }

    /// <summary>
    /// Peak learning rate. Null (default): 1e-5 for a loaded model, which is fine-tuned, 1e-4 for its adapters, and 5e-4 for a model trained
    /// from scratch.
    /// </summary>
    [JsonPropertyName("learning-rate")]
    public double? LearningRate { get; init; }

    /// <summary>
    /// Peak learning rate of the reward head, with the schedule's shape. Null (default): that of everything else. Reports of steps tell of
    /// <see cref="LearningRate"/>.
    /// </summary>
    [JsonPropertyName("head-learning-rate")]
    public double? HeadLearningRate { get; init; }

    /// <summary>
    /// Layer-wise decay of the learning rate, as in ELECTRA's fine-tuning (arXiv 2003.10555) and BEiT's (arXiv 2106.08254); one rate for each
    /// layer is ULMFiT's idea (arXiv 1801.06146). Of L layers, layer l, counted from 1, has the learning rate times this to the power of
    /// L + 1 - l, the embeddings have the power L + 1, and the head and what lies behind the layers 0. Null (default): 1, no decay.
    /// </summary>
    [JsonPropertyName("layer-decay")]
    public double? LayerDecay { get; init; }

    /// <summary>Learning-rate schedule after the warm-up. Default cosine.</summary>
    [JsonPropertyName("schedule")]
    public ScheduleKind Schedule { get; init; } = ScheduleKind.Cosine;

    /// <summary>
    /// Warm-up steps, over which the learning rate rises linearly from 0. Null (default): 0, or as <see cref="WarmupRatio"/> says.
    /// </summary>
    [JsonPropertyName("warmup-steps")]
    public int? WarmupSteps { get; init; }

    /// <summary>
    /// Warm-up steps as a fraction of the run's, rounded up, in place of <see cref="WarmupSteps"/>. Null (default): none. At least one step of a
    /// run follows the warm-up.
    /// </summary>
    [JsonPropertyName("warmup-ratio")]
    public double? WarmupRatio { get; init; }

    /// <summary>
    /// Final learning rate as a fraction of the peak. Null (default): 0. An error with a constant schedule, which has none.
    /// </summary>
    [JsonPropertyName("final-learning-rate-ratio")]
    public double? FinalLearningRateRatio { get; init; }

    /// <summary>
    /// Last steps of the schedule wsd, in which the learning rate goes down to its final value. Null (default): a tenth of the run, rounded up.
    /// An error with other schedules.
    /// </summary>
    [JsonPropertyName("cooldown-steps")]
    public int? CooldownSteps { get; init; }

    /// <summary>The optimiser. Default AdamW.</summary>
    [JsonPropertyName("optimizer")]
    public OptimizerKind Optimizer { get; init; } = OptimizerKind.AdamW;

    /// <summary>Decay of AdamW's running mean of gradients. Null (default): 0.9. An error with Adafactor, which has no such mean.</summary>
    [JsonPropertyName("beta1")]
    public double? Beta1 { get; init; }

    /// <summary>
    /// Decay of AdamW's running mean of squared gradients. Null (default): 0.999. An error with Adafactor, whose decay follows from the step.
    /// </summary>
    [JsonPropertyName("beta2")]
    public double? Beta2 { get; init; }

    /// <summary>Added to the square root of AdamW's second moment, from 1e-30 to 1. Null (default): 1e-8. An error with Adafactor.</summary>
    [JsonPropertyName("epsilon")]
    public double? Epsilon { get; init; }

    /// <summary>Decoupled weight decay, per step and unit of learning rate, from 0 to 10. Default 0.01.</summary>
    [JsonPropertyName("weight-decay")]
    public double WeightDecay { get; init; } = 0.01;

    /// <summary>
    /// True: weight decay applies to biases and norms as well. False (default): only to parameters of two or more dimensions.
    /// </summary>
    [JsonPropertyName("decay-all")]
    public bool DecayAll { get; init; }

    /// <summary>Gradients are clipped to this global L2 norm, up to 1,000,000. Default 1; 0 disables clipping.</summary>
    [JsonPropertyName("max-grad-norm")]
    public double MaxGradientNorm { get; init; } = 1;

    /// <summary>
    /// Lists per optimiser step. Null (default): 32, or as <see cref="TokensPerStep"/> says. The last step of an epoch has the remaining ones.
    /// </summary>
    [JsonPropertyName("lists-per-step")]
    public int? ListsPerStep { get; init; }

    /// <summary>
    /// Tokens per optimiser step, in place of <see cref="ListsPerStep"/>: a step takes lists, in the order of the epoch, until they have this
    /// many tokens or more, a shared prompt counted once. Null (default): steps are counted in lists.
    /// </summary>
    [JsonPropertyName("tokens-per-step")]
    public int? TokensPerStep { get; init; }

    /// <summary>
    /// Maximum number of tokens in a micro-batch, a shared prompt counted once. Default 8192. Bounds memory and changes nothing but
    /// rounding: a list that exceeds it is scored without a graph first and then processed in parts.
    /// </summary>
    [JsonPropertyName("max-tokens-per-batch")]
    public int MaxTokensPerBatch { get; init; } = 8192;

    /// <summary>
    /// Keeps only the input of each layer and recomputes the layer in the backward pass: less memory, more time, the same bits.
    /// Default false.
    /// </summary>
    [JsonPropertyName("activation-checkpointing")]
    public bool ActivationCheckpointing { get; init; }

    /// <summary>
    /// The data type of the transformer's matrix products during training and evaluation; afterwards the model has its own precision again.
    /// Default float32.
    /// </summary>
    [JsonPropertyName("precision")]
    public Precision Precision { get; init; }

    /// <summary>
    /// Number of layers, counted from the last, that are trained together with the head and the norm before it; the embeddings and the
    /// layers below are frozen. 0: the head alone. Null (default): everything is trained. Frozen parameters need no gradients and no moments.
    /// </summary>
    [JsonPropertyName("unfrozen-layers")]
    public int? UnfrozenLayers { get; init; }

    /// <summary>
    /// Freezes the embeddings, and whatever else lies before the first layer, while all layers are trained. Default false. An error together
    /// with <see cref="UnfrozenLayers"/>, which freezes them as well.
    /// </summary>
    [JsonPropertyName("freeze-embeddings")]
    public bool FreezeEmbeddings { get; init; }

    /// <summary>
    /// Rank of low-rank adapters (LoRA, arXiv 2106.09685), which are trained together with the head, while everything else is frozen. Null
    /// (default): no adapters, unless the model has some, which are trained further then.
    /// </summary>
    [JsonPropertyName("lora-rank")]
    public int? LoraRank { get; init; }

    /// <summary>
    /// What adapters add is multiplied by this over the rank. Null (default): twice the rank, whatever that is. Needs <see cref="LoraRank"/>.
    /// </summary>
    [JsonPropertyName("lora-alpha")]
    public double? LoraAlpha { get; init; }

    /// <summary>Rate of the dropout on what adapters take. Null (default): 0. Needs <see cref="LoraRank"/>.</summary>
    [JsonPropertyName("lora-dropout")]
    public double? LoraDropout { get; init; }

    /// <summary>
    /// The layers that get an adapter, as <see cref="LoraOptions.Targets"/> has them. Null (default): attention. Needs <see cref="LoraRank"/>.
    /// </summary>
    [JsonPropertyName("lora-targets")]
    public string? LoraTargets { get; init; }

    /// <summary>
    /// Divides alpha by the root of the rank instead of the rank (rsLoRA, arXiv 2312.03732). Default false. Needs <see cref="LoraRank"/>.
    /// </summary>
    [JsonPropertyName("lora-rank-stabilized")]
    public bool LoraRankStabilized { get; init; }

    /// <summary>Which biases are trained as well. Default none. Needs <see cref="LoraRank"/>.</summary>
    [JsonPropertyName("lora-bias")]
    public LoraBias LoraBias { get; init; }

    /// <summary>
    /// Modules that are trained in full beside the head, as <see cref="LoraOptions.ModulesToSave"/> has them. Null (default): none. Needs
    /// <see cref="LoraRank"/>.
    /// </summary>
    [JsonPropertyName("lora-modules-to-save")]
    public string? LoraModulesToSave { get; init; }

    /// <inheritdoc cref="RankingLossOptions.Loss"/>
    [JsonPropertyName("loss")]
    public string Loss { get; init; } = new RankingLossOptions().Loss;

    /// <inheritdoc cref="RankingLossOptions.Margin"/>
    [JsonPropertyName("margin")]
    public string? Margin { get; init; }

    /// <inheritdoc cref="RankingLossOptions.LabelSmoothing"/>
    [JsonPropertyName("label-smoothing")]
    public double LabelSmoothing { get; init; }

    /// <inheritdoc cref="RankingLossOptions.Ties"/>
    [JsonPropertyName("ties")]
    public TieHandling Ties { get; init; }

    /// <summary>The rewards of an answer that the log-sigmoid loss compares. Default: that of its last token.</summary>
    [JsonPropertyName("reward-positions")]
    public RewardPositions RewardPositions { get; init; }

    /// <inheritdoc cref="RankingLossOptions.LossNormalization"/>
    [JsonPropertyName("loss-normalization")]
    public LossNormalization LossNormalization { get; init; } = LossNormalization.PerList;

    /// <inheritdoc cref="RankingLossOptions.Pointwise"/>
    [JsonPropertyName("pointwise")]
    public PointwiseLoss Pointwise { get; init; }

    /// <inheritdoc cref="RankingLossOptions.PointwiseWeight"/>
    [JsonPropertyName("pointwise-weight")]
    public double? PointwiseWeight { get; init; }

    /// <inheritdoc cref="RankingLossOptions.Centering"/>
    [JsonPropertyName("centering")]
    public double Centering { get; init; }

    /// <inheritdoc cref="RankingLossOptions.RewardL2"/>
    [JsonPropertyName("reward-l2")]
    public double RewardL2 { get; init; }

    /// <summary>Seed of the order of the lists and of dropout; in a run also of a new head and of the split. Default 0.</summary>
    [JsonPropertyName("seed")]
    public long Seed { get; init; }

    /// <summary>
    /// Optimiser steps between evaluations; null (default): a tenth of the run. Ignored without held-out lists.
    /// </summary>
    [JsonPropertyName("eval-every")]
    public int? EvaluationInterval { get; init; }

    /// <summary>
    /// Decay of an exponential moving average of the trained weights, such as 0.999, which is evaluated, kept and saved in place of the
    /// weights themselves; training goes on from these. After t steps the weights of step i count in proportion to decay^(t - i). Null
    /// (default): no average. It needs as much memory as the trained weights.
    /// </summary>
    [JsonPropertyName("ema")]
    public double? Ema { get; init; }

    /// <summary>
    /// Number of the last evaluations whose weights are averaged when the run ends (stochastic weight averaging, arXiv 1803.05407): the
    /// average is evaluated and, if it is better by <see cref="BestBy"/>, kept in place of the best weights. Null (default): no average.
    /// Requires held-out lists; the weights lie in the run's directory.
    /// </summary>
    [JsonPropertyName("average-last")]
    public int? AverageLast { get; init; }

    /// <summary>Which of the evaluated weights are kept as the best. Default accuracy.</summary>
    [JsonPropertyName("best-by")]
    public BestBy BestBy { get; init; } = BestBy.Accuracy;

    /// <summary>Optimiser steps between saved states; null (default): a tenth of the run. Ignored without a run directory.</summary>
    [JsonPropertyName("save-every")]
    public int? SaveInterval { get; init; }

    /// <summary>
    /// Early stopping: the run ends after this many evaluations without an improvement, by <see cref="BestBy"/>. Default 0: never. Requires
    /// held-out lists.
    /// </summary>
    [JsonPropertyName("early-stop")]
    public int EarlyStopPatience { get; init; }

    /// <summary>What ranks that train together divide among them. Default none: each has all of the model. Changes no result but for rounding.</summary>
    [JsonPropertyName("shard")]
    public Sharding Shard { get; init; }

    /// <summary>
    /// Whether what the optimiser keeps lies in the CPU's memory, where its work is then done, while the model computes on a GPU. Requires
    /// <see cref="Shard"/>, also of a single process. Changes no result but for rounding.
    /// </summary>
    [JsonPropertyName("offload-optimizer")]
    public bool OffloadOptimizer { get; init; }

    /// <summary>The adapters that are asked for; null for none.</summary>
    internal LoraOptions? Lora => LoraRank is not { } rank ? null : new LoraOptions(rank)
    {
        Alpha = LoraAlpha,
        Dropout = LoraDropout ?? 0,
        Targets = LoraTargets ?? LoraOptions.AttentionTargets,
        IsRankStabilized = LoraRankStabilized,
        Bias = LoraBias,
        ModulesToSave = LoraModulesToSave ?? "",
    };

    private AdamWOptions OfAdamW
    {
        get
        {
            var usual = new AdamWOptions();
            return new AdamWOptions
            {
                Beta1 = Beta1 ?? usual.Beta1,
                Beta2 = Beta2 ?? usual.Beta2,
                Epsilon = Epsilon ?? usual.Epsilon,
                WeightDecay = WeightDecay,
                DecayAll = DecayAll,
            };
        }
    }

    /// <summary>These options with the values that null stands for, where these don't depend on the run.</summary>
    internal TrainingOptions WithDefaults()
    {
        var ofAdamW = Optimizer == OptimizerKind.Adafactor ? null : OfAdamW;
        return this with
        {
            ListsPerStep = ListsPerStep ?? (TokensPerStep is null ? 32 : null),
            WarmupSteps = WarmupSteps ?? (WarmupRatio is null ? 0 : null),
            FinalLearningRateRatio = FinalLearningRateRatio ?? 0,
            Beta1 = ofAdamW?.Beta1,
            Beta2 = ofAdamW?.Beta2,
            Epsilon = ofAdamW?.Epsilon,
            ActivationCheckpointing = ActivationCheckpointing || Shard == Sharding.Parameters,
        };
    }

    /// <summary>The optimiser of some parameters.</summary>
    /// <param name="parameters">Names, which its state is saved under, and the parameters.</param>
    /// <param name="rates">Their learning rates by names, as multiples of a step's.</param>
    internal Optimizer CreateOptimizer(
        IEnumerable<WeightPart> parameters, IReadOnlyDictionary<string, double> rates)
    {
        return Optimizer switch
        {
            OptimizerKind.AdamW => new AdamW(parameters, OfAdamW, rates),
            OptimizerKind.AdamW8Bit => new AdamW8Bit(parameters, OfAdamW, rates),
            OptimizerKind.Adafactor => new Adafactor(parameters, WeightDecay, DecayAll, rates),
            _ => throw new InvalidOperationException(
                $"The optimiser {Optimizer} is not known; expected one of: {string.Join(", ", Enum.GetNames<OptimizerKind>())}."),
        };
    }

    /// <summary>What the loss is made of, but for the levels of the data.</summary>
    internal RankingLossOptions LossOptions => new()
    {
        Loss = Loss,
        Margin = Margin,
        LabelSmoothing = LabelSmoothing,
        Ties = Ties,
        LossNormalization = LossNormalization,
        Pointwise = Pointwise,
        PointwiseWeight = PointwiseWeight,
        Centering = Centering,
        RewardL2 = RewardL2,
    };

    /// <summary>Checks every value.</summary>
    /// <exception cref="OptionsException">Values are out of range: all are listed.</exception>
    public void Validate()
    {
        var problems = Problems().ToArray();
        if (problems.Length > 0)
            throw new OptionsException($"The training options can't be used: {string.Join("; ", problems)}.");
    }

    /// <summary>The name of an option in messages: its own, and that in run files and on the command line.</summary>
    internal static string NameOf(string property) =>
        $"{property} (--{typeof(TrainingRunOptions).GetProperty(property)!.GetCustomAttribute<JsonPropertyNameAttribute>()!.Name})";

    /// <summary>
    /// The options that must be the same for a run to be resumed: all that change the result of a step. How long the run is, and when it
    /// evaluates, saves and stops early, may change.
    /// </summary>
    internal JsonObject OfEveryStep()
    {
        var json = JsonSerializer.SerializeToNode<TrainingOptions>(WithDefaults(), ReportJson.Options)!.AsObject();
        string[] changeable = ["epochs", "steps", "activation-checkpointing", "shard", "offload-optimizer", "eval-every", "save-every", "early-stop"];
        return new JsonObject(json.Where(pair => !changeable.Contains(pair.Key))
            .Select(pair => KeyValuePair.Create(pair.Key, pair.Value?.DeepClone())));
    }

    // Limits that no published recipe comes near, and within which numbers stay finite in float32.
    private const double MostLearningRate = 10, MostWeightDecay = 10, MostGradientNorm = 1_000_000, LeastEpsilon = 1e-30;
    private const int MostSteps = 100_000_000, MostPerStep = 1_000_000_000, MostAveraged = 1000;

    /// <summary>What is wrong with the values, one sentence each without a full stop.</summary>
    private protected virtual IEnumerable<string> Problems()
    {
        string?[] found =
        [
            Problem(Epochs >= 1, nameof(Epochs), Epochs, "at least 1"),
            Problem(Steps is null or (>= 1 and <= MostSteps), nameof(Steps), Steps, $"1 to {MostSteps}"),
            WithoutEffect(OffloadOptimizer ? true : null, nameof(OffloadOptimizer), Shard == Sharding.None, "with --shard none; shard at least the optimizer"),
            Problem(
                LearningRate is null or (> 0 and <= MostLearningRate), nameof(LearningRate), LearningRate,
                $"a number above 0, up to {MostLearningRate}"),
            Problem(
                HeadLearningRate is null or (> 0 and <= MostLearningRate), nameof(HeadLearningRate), HeadLearningRate,
                $"a number above 0, up to {MostLearningRate}"),
            Problem(LayerDecay is null or (> 0 and <= 1), nameof(LayerDecay), LayerDecay, "a number above 0, up to 1 (no decay)"),
            WithoutEffect(
                LayerDecay, nameof(LayerDecay), UnfrozenLayers == 0, "with --unfrozen-layers 0, which trains the head and the last norm alone"),
            Problem(WarmupSteps is null or >= 0, nameof(WarmupSteps), WarmupSteps, "0 or more"),
            Problem(WarmupRatio is null or (>= 0 and < 1), nameof(WarmupRatio), WarmupRatio, "a number from 0 to below 1"),
            WarmupSteps is not null && WarmupRatio is not null ? "give --warmup-steps or --warmup-ratio, not both" : null,
            Problem(
                FinalLearningRateRatio is null or (>= 0 and <= 1), nameof(FinalLearningRateRatio), FinalLearningRateRatio,
                "a number from 0 to 1"),
            WithoutEffect(
                FinalLearningRateRatio, nameof(FinalLearningRateRatio), Schedule == ScheduleKind.Constant,
                "with --schedule constant, which stays at the peak"),
            Problem(CooldownSteps is null or >= 1, nameof(CooldownSteps), CooldownSteps, "at least 1"),
            WithoutEffect(
                CooldownSteps, nameof(CooldownSteps), Schedule != ScheduleKind.Wsd,
                "without --schedule wsd, the only one with a cooldown"),
            Problem(Beta1 is null or (>= 0 and < 1), nameof(Beta1), Beta1, "a number from 0 to below 1"),
            Problem(Beta2 is null or (>= 0 and < 1), nameof(Beta2), Beta2, "a number from 0 to below 1"),
            Problem(Epsilon is null or (>= LeastEpsilon and <= 1), nameof(Epsilon), Epsilon, FormattableString.Invariant($"a number from {LeastEpsilon} to 1")),
            WithoutEffect(Beta1, nameof(Beta1), Optimizer == OptimizerKind.Adafactor, "with --optimizer adafactor, which keeps no first moment"),
            WithoutEffect(
                Beta2, nameof(Beta2), Optimizer == OptimizerKind.Adafactor, "with --optimizer adafactor, whose decay is 1 - step^-0.8"),
            WithoutEffect(
                Epsilon, nameof(Epsilon), Optimizer == OptimizerKind.Adafactor, "with --optimizer adafactor, whose epsilon is 1e-30"),
            Problem(WeightDecay is >= 0 and <= MostWeightDecay, nameof(WeightDecay), WeightDecay, $"a number from 0 to {MostWeightDecay}"),
            Problem(
                MaxGradientNorm is >= 0 and <= MostGradientNorm, nameof(MaxGradientNorm), MaxGradientNorm,
                $"0 (no clipping) to {MostGradientNorm}"),
            Problem(ListsPerStep is null or (>= 1 and <= MostPerStep), nameof(ListsPerStep), ListsPerStep, $"1 to {MostPerStep}"),
            Problem(TokensPerStep is null or (>= 1 and <= MostPerStep), nameof(TokensPerStep), TokensPerStep, $"1 to {MostPerStep}"),
            ListsPerStep is not null && TokensPerStep is not null ? "give --lists-per-step or --tokens-per-step, not both" : null,
            Problem(MaxTokensPerBatch >= 1, nameof(MaxTokensPerBatch), MaxTokensPerBatch, "at least 1"),
            Problem(UnfrozenLayers is null or >= 0, nameof(UnfrozenLayers), UnfrozenLayers, "0 (the head alone) or more"),
            WithoutEffect(
                FreezeEmbeddings ? true : null, nameof(FreezeEmbeddings), UnfrozenLayers is not null,
                "with --unfrozen-layers, which freezes the embeddings as well"),
            WithoutEffect(
                FreezeEmbeddings ? true : null, nameof(FreezeEmbeddings), LoraRank is not null,
                "with --lora-rank, which freezes the embeddings as well"),
            Problem(LoraRank is null or (>= 1 and <= LoraOptions.MostRank), nameof(LoraRank), LoraRank, $"1 to {LoraOptions.MostRank}"),
            Problem(
                LoraRank is null || UnfrozenLayers is null, nameof(UnfrozenLayers), UnfrozenLayers,
                "nothing beside --lora-rank, which freezes all layers"),
            Problem(LoraAlpha is null || LoraOptions.IsAlpha(LoraAlpha.Value), nameof(LoraAlpha), LoraAlpha, "a number from 0.000001 to 1000000"),
            Problem(LoraDropout is null or (>= 0 and < 1), nameof(LoraDropout), LoraDropout, "a number from 0 to below 1"),
            Problem(
                LoraTargets is null || LoraOptions.NamesOf(LoraTargets).Length > 0, nameof(LoraTargets), $"'{LoraTargets}'",
                $"{LoraOptions.AttentionTargets}, {LoraOptions.AllLinearTargets} or names of layers with commas between them"),
            NeedsRank(LoraAlpha is not null, nameof(LoraAlpha), LoraAlpha),
            NeedsRank(LoraDropout is not null, nameof(LoraDropout), LoraDropout),
            NeedsRank(LoraTargets is not null, nameof(LoraTargets), $"'{LoraTargets}'"),
            NeedsRank(LoraRankStabilized, nameof(LoraRankStabilized), "true"),
            NeedsRank(LoraBias != LoraBias.None, nameof(LoraBias), LoraBias),
            NeedsRank(LoraModulesToSave is not null, nameof(LoraModulesToSave), $"'{LoraModulesToSave}'"),
            .. LossOptions.Problems(NameOf),
            Problem(
                RewardPositions == RewardPositions.Last || Loss == new RankingLossOptions().Loss, nameof(RewardPositions), "all",
                $"last, because {NameOf(nameof(Loss))} is {Loss}, not log-sigmoid"),
            Problem(
                RewardPositions == RewardPositions.Last || Pointwise != PointwiseLoss.Attributes, nameof(RewardPositions), "all",
                $"last, because {NameOf(nameof(Pointwise))} is attributes, which are those of an answer as a whole"),
            Problem(EvaluationInterval is null or >= 1, nameof(EvaluationInterval), EvaluationInterval, "at least 1"),
            Problem(Ema is null or (> 0 and < 1), nameof(Ema), Ema, "a number above 0 and below 1, such as 0.999"),
            Problem(AverageLast is null or (>= 2 and <= MostAveraged), nameof(AverageLast), AverageLast, $"2 to {MostAveraged}"),
            Ema is not null && AverageLast is not null ? "give --ema or --average-last, not both" : null,
            Problem(SaveInterval is null or >= 1, nameof(SaveInterval), SaveInterval, "at least 1"),
            Problem(EarlyStopPatience >= 0, nameof(EarlyStopPatience), EarlyStopPatience, "0 (never stop early) or more"),
            Problem(
                EarlyStopPatience <= 0 || BestBy != BestBy.Last, nameof(EarlyStopPatience), EarlyStopPatience,
                "0, because with --best-by last no evaluation is better than another"),
        ];
        return found.OfType<string>();
    }

    /// <summary>The problem of an option that is given although it can have no effect; null where it is not given, or has one.</summary>
    private protected static string? WithoutEffect(object? found, string property, bool isWithout, string because) =>
        Problem(found is null || !isWithout, property, found, $"no value, because it has no effect {because}");

    private string? NeedsRank(bool isGiven, string property, object? found) =>
        Problem(LoraRank is not null || !isGiven, property, found, "nothing without --lora-rank, which asks for adapters");

    private protected static string? Problem(bool isMet, string property, object? found, string expected) =>
        isMet ? null : $"{NameOf(property)} is {FormattableString.Invariant($"{found}")}; expected {expected}";
}
