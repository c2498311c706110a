using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using RewardModel.Ranking;
using RewardModel.Training.Optimization;
using RewardModel.Training.Reporting;

namespace RewardModel.Training;

/// <summary>
/// How a model is trained. In brackets behind a name, where messages tell of one, stands what run files and the command line call it.
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
    /// Highest learning rate. Null (default): 1e-5 for a model that was loaded, to be fine-tuned, and 5e-4 for one whose weights are all new.
    /// </summary>
    [JsonPropertyName("learning-rate")]
    public double? LearningRate { get; init; }

    /// <summary>How the learning rate goes down after the warm-up. Default cosine.</summary>
    [JsonPropertyName("schedule")]
    public ScheduleKind Schedule { get; init; } = ScheduleKind.Cosine;

    /// <summary>Steps over which the learning rate rises from 0. Default 0.</summary>
    [JsonPropertyName("warmup-steps")]
    public int WarmupSteps { get; init; }

    /// <summary>Share of the learning rate that is left at the end of cosine and linear schedules. Default 0.</summary>
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

    /// <summary>Decoupled weight decay: the share of a weight that is taken off per step and unit of learning rate. Default 0.01.</summary>
    [JsonPropertyName("weight-decay")]
    public double WeightDecay { get; init; } = 0.01;

    /// <summary>True: biases and norms decay as well. False (default): only parameters of two dimensions or more.</summary>
    [JsonPropertyName("decay-all")]
    public bool DecayAll { get; init; }

    /// <summary>Gradients are scaled down to this L2 norm where theirs is larger. Default 1; 0 switches clipping off.</summary>
    [JsonPropertyName("max-grad-norm")]
    public double MaxGradientNorm { get; init; } = 1;

    /// <summary>Lists of one optimiser step. Default 32. The last step of an epoch has those that are left.</summary>
    [JsonPropertyName("lists-per-step")]
    public int ListsPerStep { get; init; } = 32;

    /// <summary>
    /// Most tokens of a micro-batch, a shared prompt counted once. Default 8192. Bounds memory and, without dropout, changes nothing but
    /// rounding: a list beyond it is scored without a graph first, and then goes through in parts.
    /// </summary>
    [JsonPropertyName("max-tokens-per-batch")]
    public int MaxTokensPerBatch { get; init; } = 8192;

    /// <summary>
    /// Keeps of each layer only its input, and computes the layer again in the backward pass: less memory, more time, the same bits.
    /// Default false.
    /// </summary>
    [JsonPropertyName("activation-checkpointing")]
    public bool ActivationCheckpointing { get; init; }

    /// <summary>
    /// The type that the transformer's matrix products are computed in while it is trained and evaluated; afterwards the model computes as
    /// before. Default float32.
    /// </summary>
    [JsonPropertyName("precision")]
    public Precision Precision { get; init; }

    /// <summary>
    /// Layers, counted from the last, that are trained together with the head and the norm before it; the embeddings and the layers below
    /// them are frozen. 0: the head alone. Null (default): everything is trained. Frozen parameters need no gradients and no moments.
    /// </summary>
    [JsonPropertyName("unfrozen-layers")]
    public int? UnfrozenLayers { get; init; }

    /// <summary>Name of the ranking loss, see <see cref="RankingLoss.Names"/>. Default log-sigmoid.</summary>
    [JsonPropertyName("loss")]
    public string Loss { get; init; } = LogSigmoidLoss.LossName;

    /// <summary>What the score difference of a pair is multiplied with for its margin: see <see cref="LogSigmoidLoss"/>. Default 0.</summary>
    [JsonPropertyName("margin-scale")]
    public double MarginScale { get; init; }

    /// <summary>How the pairs of a step are weighted. Default per list.</summary>
    [JsonPropertyName("loss-normalization")]
    public LossNormalization LossNormalization { get; init; } = LossNormalization.PerList;

    /// <summary>Seed of the order of the lists and of dropout; of a new head and of the split, too, in a run. Default 0.</summary>
    [JsonPropertyName("seed")]
    public long Seed { get; init; }

    /// <summary>
    /// Optimiser steps between evaluations; null (default): a tenth of the run. Ignored when there are no held-out lists.
    /// </summary>
    [JsonPropertyName("eval-every")]
    public int? EvaluationInterval { get; init; }

    /// <summary>Which of the evaluated weights the model ends with. Default accuracy.</summary>
    [JsonPropertyName("best-by")]
    public BestBy BestBy { get; init; } = BestBy.Accuracy;

    /// <summary>Optimiser steps between saved states; null (default): a tenth of the run. Ignored when nothing is saved.</summary>
    [JsonPropertyName("save-every")]
    public int? SaveInterval { get; init; }

    /// <summary>
    /// Evaluations without a better one, by <see cref="BestBy"/>, after which the run ends. Default 0: never. Needs held-out lists.
    /// </summary>
    [JsonPropertyName("early-stop")]
    public int EarlyStopPatience { get; init; }

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

    /// <summary>The name by which messages tell of an option: its own, and that of run files and the command line.</summary>
    internal static string NameOf(string property) =>
        $"{property} (--{typeof(TrainingRunOptions).GetProperty(property)!.GetCustomAttribute<JsonPropertyNameAttribute>()!.Name})";

    /// <summary>
    /// What a saved run must have been told as well to be resumed: all that changes the result of a step. How long the run is, and when it
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

    private protected static string? Problem(bool isMet, string property, object? found, string expected) =>
        isMet ? null : $"{NameOf(property)} is {FormattableString.Invariant($"{found}")}; expected {expected}";
}
