using System.Text.Json.Serialization;
using RewardModel.Training.Metrics;

namespace RewardModel.Training.Reporting;

/// <summary>A report of a training run: see the derived records.</summary>
/// <param name="Step">Optimiser steps taken so far.</param>
public abstract record TrainingReport(int Step);

/// <summary>Progress of a phase of the run other than optimiser steps.</summary>
/// <param name="Step">Optimiser steps taken before it.</param>
/// <param name="Phase">The phase.</param>
/// <param name="Done">The amount done.</param>
/// <param name="Total">The total amount: bytes to load, lists to tokenise or to evaluate.</param>
public sealed record PhaseReport(int Step, TrainingPhase Phase, long Done, long Total) : TrainingReport(Step);

/// <summary>A phase of a run other than optimiser steps.</summary>
public enum TrainingPhase
{
    /// <summary>Loading the model's weights.</summary>
    Loading,

    /// <summary>Tokenising the lists.</summary>
    Tokenizing,

    /// <summary>Evaluating on the held-out lists.</summary>
    Evaluating,
}

/// <summary>One optimiser step.</summary>
/// <param name="Step">Steps taken, this one included.</param>
/// <param name="StepCount">Steps of the whole run.</param>
/// <param name="Epoch">Passes over the training lists so far, with fraction.</param>
/// <param name="Loss">The step's loss, before its update.</param>
/// <param name="Accuracy">Pairwise accuracy on the step's lists, before its update.</param>
/// <param name="LearningRate">The step's learning rate.</param>
/// <param name="GradientNorm">L2 norm of the gradients, before clipping.</param>
/// <param name="Tokens">Tokens of the step, a shared prompt counted once per list.</param>
/// <param name="TokensSeen">Tokens trained on since the beginning of the run, a shared prompt counted once per list.</param>
/// <param name="TokensPerSecond">Throughput of this step.</param>
/// <param name="TimeLeft">Estimated time of the remaining steps, evaluations not counted.</param>
public sealed record StepReport(
    int Step, int StepCount, double Epoch, double Loss, double Accuracy, double LearningRate, double GradientNorm,
    long Tokens, long TokensSeen, double TokensPerSecond, TimeSpan TimeLeft) : TrainingReport(Step)
{
    /// <summary>The terms that <see cref="Loss"/> is the sum of, by name; null where it is one term.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyDictionary<string, double>? LossTerms { get; init; }

    /// <summary>
    /// How long each rank computed its lists on the CPU, in seconds, without waiting for sums of gradients; the longest is what all waited for.
    /// Null on GPUs, which compute while the CPU goes on, and where one process trains alone.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<double>? RankSeconds { get; init; }
}

/// <summary>One evaluation on the held-out lists.</summary>
/// <param name="Step">Steps taken before it.</param>
/// <param name="Metrics">The metrics.</param>
/// <param name="IsBest">True if it is the best so far, by <see cref="TrainingOptions.BestBy"/>.</param>
public sealed record EvaluationReport(int Step, RankingMetrics Metrics, bool IsBest) : TrainingReport(Step)
{
    /// <summary>
    /// The steps whose weights were averaged, for the average at the end of a run (<see cref="TrainingOptions.AverageLast"/>); null for
    /// weights of the run itself.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<int>? AverageOf { get; init; }
}

/// <summary>The end of a run: the last line of its log. A run that was killed has none.</summary>
/// <param name="Step">Steps taken.</param>
/// <param name="Reason">Why it ended.</param>
public sealed record EndReport(int Step, EndReason Reason) : TrainingReport(Step)
{
    /// <summary>What went wrong; null where nothing did.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Message { get; init; }
}

/// <summary>Why a run ended.</summary>
public enum EndReason
{
    /// <summary>It took all its steps.</summary>
    Finished,

    /// <summary>No evaluation was better for <see cref="TrainingOptions.EarlyStopPatience"/> evaluations.</summary>
    StoppedEarly,

    /// <summary>It was cancelled, with its state saved.</summary>
    Cancelled,

    /// <summary>A loss, a gradient or a reward was not finite.</summary>
    Diverged,

    /// <summary>Something else went wrong.</summary>
    Failed,
}
