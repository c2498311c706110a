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

    /// <summary>Optimiser steps of the whole run; null (default): as many as <see cref="Epochs"/> need.</summary>
    [JsonPropertyName("steps")]
    public int? Steps { get; init; }

    /// <summary>
    /// Peak learning rate. Null (default): 1e-5 for a loaded model, which is fine-tuned, 1e-4 for its adapters, and 5e-4 for a model trained
    /// from scratch.
    /// </summary>
    [JsonPropertyName("learning-rate")]
    public double? LearningRate { get; init; }

    /// <summary>Learning-rate schedule after the warm-up. Default cosine.</summary>
    [JsonPropertyName("schedule")]
    public ScheduleKind Schedule { get; init; } = ScheduleKind.Cosine;

    /// <summary>Warm-up steps, over which the learning rate rises linearly from 0. Default 0.</summary>
    [JsonPropertyName("warmup-steps")]
    public int WarmupSteps { get; init; }

    /// <summary>Final learning rate of the cosine and linear schedules, as a fraction of the peak. Default 0.</summary>
    [JsonPropertyName("final-learning-rate-ratio")]
    public double FinalLearningRateRatio { get; init; }

    /// <summary>Decay of AdamW's running mean of gradients. Default 0.9.</summary>
    [JsonPropertyName("beta1")]
    public double Beta1 { get; init; } = 0.9;

    /// <summary>Decay of AdamW's running mean of squared gradients. Default 0.999.</summary>
    [JsonPropertyName("beta2")]
    public double Beta2 { get; init; } = 0.999;

    /// <summary>Added to the square root of AdamW's second moment. Default 1e-8.</summary>
    [JsonPropertyName("epsilon")]
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>Decoupled weight decay, per step and unit of learning rate. Default 0.01.</summary>
    [JsonPropertyName("weight-decay")]
    public double WeightDecay { get; init; } = 0.01;

    /// <summary>
    /// True: weight decay applies to biases and norms as well. False (default): only to parameters of two or more dimensions.
    /// </summary>
    [JsonPropertyName("decay-all")]
    public bool DecayAll { get; init; }

    /// <summary>Gradients are clipped to this global L2 norm. Default 1; 0 disables clipping.</summary>
    [JsonPropertyName("max-grad-norm")]
    public double MaxGradientNorm { get; init; } = 1;

    /// <summary>Lists per optimiser step. Default 32. The last step of an epoch has the remaining ones.</summary>
    [JsonPropertyName("lists-per-step")]
    public int ListsPerStep { get; init; } = 32;

    /// <summary>
    /// Maximum number of tokens in a micro-batch, a shared prompt counted once. Default 8192. Bounds memory and, without dropout, changes
    /// nothing but rounding: a list that exceeds it is scored without a graph first and then processed in parts.
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

    /// <summary>Name of the ranking loss, see <see cref="RankingLoss.Names"/>. Default log-sigmoid.</summary>
    [JsonPropertyName("loss")]
    public string Loss { get; init; } = LogSigmoidLoss.LossName;

    /// <summary>The margin of a pair is this times its score difference: see <see cref="LogSigmoidLoss"/>. Default 0.</summary>
    [JsonPropertyName("margin-scale")]
    public double MarginScale { get; init; }

    /// <summary>How the pairs of a step are weighted. Default per list.</summary>
    [JsonPropertyName("loss-normalization")]
    public LossNormalization LossNormalization { get; init; } = LossNormalization.PerList;

    /// <summary>Seed of the order of the lists and of dropout; in a run also of a new head and of the split. Default 0.</summary>
    [JsonPropertyName("seed")]
    public long Seed { get; init; }

    /// <summary>
    /// Optimiser steps between evaluations; null (default): a tenth of the run. Ignored without held-out lists.
    /// </summary>
    [JsonPropertyName("eval-every")]
    public int? EvaluationInterval { get; init; }

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

    internal AdamWOptions Optimizer => new()
    {
        Beta1 = Beta1,
        Beta2 = Beta2,
        Epsilon = Epsilon,
        WeightDecay = WeightDecay,
        DecayAll = DecayAll,
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
        var json = JsonSerializer.SerializeToNode<TrainingOptions>(this, ReportJson.Options)!.AsObject();
        string[] changeable = ["epochs", "steps", "activation-checkpointing", "eval-every", "save-every", "early-stop"];
        return new JsonObject(json.Where(pair => !changeable.Contains(pair.Key))
            .Select(pair => KeyValuePair.Create(pair.Key, pair.Value?.DeepClone())));
    }

    /// <summary>What is wrong with the values, one sentence each without a full stop.</summary>
    private protected virtual IEnumerable<string> Problems()
    {
        string?[] found =
        [
            Problem(Epochs >= 1, nameof(Epochs), Epochs, "at least 1"),
            Problem(Steps is null or >= 1, nameof(Steps), Steps, "at least 1"),
            Problem(
                LearningRate is null || (LearningRate > 0 && double.IsFinite(LearningRate.Value)), nameof(LearningRate), LearningRate,
                "a positive number"),
            Problem(WarmupSteps >= 0, nameof(WarmupSteps), WarmupSteps, "0 or more"),
            Problem(FinalLearningRateRatio is >= 0 and <= 1, nameof(FinalLearningRateRatio), FinalLearningRateRatio, "a number from 0 to 1"),
            Problem(Beta1 is >= 0 and < 1, nameof(Beta1), Beta1, "a number from 0 to below 1"),
            Problem(Beta2 is >= 0 and < 1, nameof(Beta2), Beta2, "a number from 0 to below 1"),
            Problem(Epsilon > 0 && double.IsFinite(Epsilon), nameof(Epsilon), Epsilon, "a positive number"),
            Problem(WeightDecay >= 0 && double.IsFinite(WeightDecay), nameof(WeightDecay), WeightDecay, "0 or more"),
            Problem(
                MaxGradientNorm >= 0 && double.IsFinite(MaxGradientNorm), nameof(MaxGradientNorm), MaxGradientNorm, "0 (no clipping) or more"),
            Problem(ListsPerStep >= 1, nameof(ListsPerStep), ListsPerStep, "at least 1"),
            Problem(MaxTokensPerBatch >= 1, nameof(MaxTokensPerBatch), MaxTokensPerBatch, "at least 1"),
            Problem(UnfrozenLayers is null or >= 0, nameof(UnfrozenLayers), UnfrozenLayers, "0 (the head alone) or more"),
            Problem(LoraRank is null or >= 1, nameof(LoraRank), LoraRank, "at least 1"),
            Problem(
                LoraRank is null || UnfrozenLayers is null, nameof(UnfrozenLayers), UnfrozenLayers,
                "nothing beside --lora-rank, which freezes all layers"),
            Problem(LoraAlpha is null || (LoraAlpha > 0 && double.IsFinite(LoraAlpha.Value)), nameof(LoraAlpha), LoraAlpha, "a positive number"),
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
            Problem(RankingLoss.Names.Contains(Loss), nameof(Loss), $"'{Loss}'", $"one of: {string.Join(", ", RankingLoss.Names)}"),
            Problem(MarginScale >= 0 && double.IsFinite(MarginScale), nameof(MarginScale), MarginScale, "0 (no margin) or more"),
            Problem(
                MarginScale == 0 || Loss != SigmoidLoss.LossName, nameof(MarginScale), MarginScale,
                $"0, because the loss {SigmoidLoss.LossName} has no margin"),
            Problem(EvaluationInterval is null or >= 1, nameof(EvaluationInterval), EvaluationInterval, "at least 1"),
            Problem(SaveInterval is null or >= 1, nameof(SaveInterval), SaveInterval, "at least 1"),
            Problem(EarlyStopPatience >= 0, nameof(EarlyStopPatience), EarlyStopPatience, "0 (never stop early) or more"),
            Problem(
                EarlyStopPatience <= 0 || BestBy != BestBy.Last, nameof(EarlyStopPatience), EarlyStopPatience,
                "0, because with --best-by last no evaluation is better than another"),
        ];
        return found.OfType<string>();
    }

    private string? NeedsRank(bool isGiven, string property, object? found) =>
        Problem(LoraRank is not null || !isGiven, property, found, "nothing without --lora-rank, which asks for adapters");

    private protected static string? Problem(bool isMet, string property, object? found, string expected) =>
        isMet ? null : $"{NameOf(property)} is {FormattableString.Invariant($"{found}")}; expected {expected}";
}
