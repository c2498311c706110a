using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using RewardModel.Ranking;
using RewardModel.Training.Optimization;
using RewardModel.Training.Reporting;

namespace RewardModel.Training;

/// <summary>
/// What a training run does. All of it that changes the result is part of a saved run: resuming with other values is an error.
/// </summary>
public sealed record TrainingOptions
{
    /// <summary>Passes over the training lists. Default 1. Ignored when <see cref="Steps"/> is given.</summary>
    public int Epochs { get; init; } = 1;

    /// <summary>Optimiser steps of the whole run; null (default): as many as <see cref="Epochs"/> need.</summary>
    public int? Steps { get; init; }

    /// <summary>Highest learning rate. Default 1e-5, right for fine-tuning; models trained from scratch want about 5e-4.</summary>
    public double LearningRate { get; init; } = 1e-5;

    /// <summary>How the learning rate goes down after the warm-up. Default cosine.</summary>
    public ScheduleKind Schedule { get; init; } = ScheduleKind.Cosine;

    /// <summary>Steps over which the learning rate rises from 0. Default 0.</summary>
    public int WarmupSteps { get; init; }

    /// <summary>Share of the learning rate that is left at the end of cosine and linear schedules. Default 0.</summary>
    public double FinalLearningRateRatio { get; init; }

    /// <summary>Constants of the optimiser.</summary>
    public AdamWOptions Optimizer { get; init; } = new();

    /// <summary>Gradients are scaled down to this L2 norm where theirs is larger. Default 1; 0 switches clipping off.</summary>
    public double MaxGradientNorm { get; init; } = 1;

    /// <summary>Lists of one optimiser step. Default 32. The last step of an epoch has those that are left.</summary>
    public int ListsPerStep { get; init; } = 32;

    /// <summary>
    /// Most tokens of a micro-batch, a shared prompt counted once. Default 8192. Bounds memory and, without dropout, changes nothing but
    /// rounding: a list beyond it is scored without a graph first, and then goes through in parts.
    /// </summary>
    public int MaxTokensPerBatch { get; init; } = 8192;

    /// <summary>
    /// Keeps of each layer only its input, and computes the layer again in the backward pass: less memory for about a third more time.
    /// Changes no result, and is no part of a saved run. Default false.
    /// </summary>
    [JsonIgnore]
    public bool ActivationCheckpointing { get; init; }

    /// <summary>
    /// The type that the transformer's matrix products are computed in while it is trained and evaluated; afterwards the model computes as
    /// before. Default float32.
    /// </summary>
    public Precision Precision { get; init; }

    /// <summary>Name of the ranking loss, see <see cref="RankingLoss.Names"/>. Default log-sigmoid.</summary>
    public string Loss { get; init; } = "log-sigmoid";

    /// <summary>How the pairs of a step are weighed. Default per list.</summary>
    public LossNormalization LossNormalization { get; init; } = LossNormalization.PerList;

    /// <summary>Seed of the order of the lists and of dropout. Default 0.</summary>
    public long Seed { get; init; }

    /// <summary>
    /// Optimiser steps between evaluations; null (default): a tenth of the run. Ignored when there are no held-out lists.
    /// </summary>
    public int? EvaluationInterval { get; init; }

    /// <summary>Optimiser steps between saved states; null (default): a tenth of the run. Ignored when nothing is saved.</summary>
    public int? SaveInterval { get; init; }

    /// <summary>Evaluations without a better accuracy after which the run ends. Default 0: never. Needs held-out lists.</summary>
    public int EarlyStopPatience { get; init; }

    /// <summary>The options that change a run's result, by their names here.</summary>
    internal JsonObject ToJson() => JsonSerializer.SerializeToNode(this, ReportJson.Options)!.AsObject();

    /// <summary>Checks every value.</summary>
    /// <exception cref="ArgumentException">Values are out of range: all are listed.</exception>
    public void Validate()
    {
        var problems = new List<string>();

        void Expect(bool isMet, string name, object? found, string expected)
        {
            if (!isMet)
                problems.Add($"{name} is {FormattableString.Invariant($"{found}")}; expected {expected}");
        }

        Expect(Epochs >= 1, nameof(Epochs), Epochs, "at least 1");
        Expect(Steps is null or >= 1, nameof(Steps), Steps, "at least 1");
        Expect(LearningRate > 0 && double.IsFinite(LearningRate), nameof(LearningRate), LearningRate, "a positive number");
        Expect(WarmupSteps >= 0, nameof(WarmupSteps), WarmupSteps, "0 or more");
        Expect(FinalLearningRateRatio is >= 0 and <= 1, nameof(FinalLearningRateRatio), FinalLearningRateRatio, "a number from 0 to 1");
        Expect(Optimizer.Beta1 is >= 0 and < 1, nameof(Optimizer.Beta1), Optimizer.Beta1, "a number from 0 to below 1");
        Expect(Optimizer.Beta2 is >= 0 and < 1, nameof(Optimizer.Beta2), Optimizer.Beta2, "a number from 0 to below 1");
        Expect(Optimizer.Epsilon > 0, nameof(Optimizer.Epsilon), Optimizer.Epsilon, "a positive number");
        Expect(Optimizer.WeightDecay >= 0, nameof(Optimizer.WeightDecay), Optimizer.WeightDecay, "0 or more");
        Expect(MaxGradientNorm >= 0, nameof(MaxGradientNorm), MaxGradientNorm, "0 (no clipping) or more");
        Expect(ListsPerStep >= 1, nameof(ListsPerStep), ListsPerStep, "at least 1");
        Expect(MaxTokensPerBatch >= 1, nameof(MaxTokensPerBatch), MaxTokensPerBatch, "at least 1");
        Expect(RankingLoss.Names.Contains(Loss), nameof(Loss), $"'{Loss}'", $"one of: {string.Join(", ", RankingLoss.Names)}");
        Expect(EvaluationInterval is null or >= 1, nameof(EvaluationInterval), EvaluationInterval, "at least 1");
        Expect(SaveInterval is null or >= 1, nameof(SaveInterval), SaveInterval, "at least 1");
        Expect(EarlyStopPatience >= 0, nameof(EarlyStopPatience), EarlyStopPatience, "0 (never stop early) or more");
        if (problems.Count > 0)
            throw new ArgumentException($"The training options can't be used: {string.Join("; ", problems)}.");
    }
}
