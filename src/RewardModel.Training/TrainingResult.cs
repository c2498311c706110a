using System.Globalization;
using RewardModel.Lists;
using RewardModel.Scoring;
using RewardModel.Training.Reporting;

namespace RewardModel.Training;

/// <summary>The result of a finished run.</summary>
/// <param name="StepCount">Number of optimiser steps taken.</param>
/// <param name="TokensSeen">Number of tokens trained on, a shared prompt counted once per list.</param>
/// <param name="FinalEvaluation">The evaluation after the last step; null without held-out lists.</param>
/// <param name="BestEvaluation">The evaluation whose weights the model has now; null without held-out lists.</param>
/// <param name="StoppedEarly">
/// True when early stopping ended the run: no improvement for <see cref="TrainingOptions.EarlyStopPatience"/> evaluations.
/// </param>
public sealed record TrainingResult(
    int StepCount, long TokensSeen, EvaluationReport? FinalEvaluation, EvaluationReport? BestEvaluation, bool StoppedEarly)
{
    /// <summary>
    /// The evaluation of the average of the last evaluated weights (<see cref="TrainingOptions.AverageLast"/>): the same as
    /// <see cref="BestEvaluation"/> if the model has them now; null without such an average.
    /// </summary>
    public EvaluationReport? AverageEvaluation { get; init; }

    /// <summary>
    /// The normaliser that the model was saved with (<see cref="TrainingRunOptions.Normalize"/>); null where its rewards stay raw.
    /// </summary>
    public RewardNormalizer? Normalizer { get; init; }

    /// <summary>Reasons to doubt that training improved the model, as sentences; empty if there are none.</summary>
    public IReadOnlyList<string> Doubts
    {
        get
        {
            var doubts = new List<string>();
            if (BestEvaluation is { Step: 0 } && StepCount > 0)
                doubts.Add(
                    "No evaluation was better than the one before the first step: the model still has its initial weights. "
                    + "Train longer, with another learning rate, or with more lists.");
            if (BestEvaluation?.Metrics is { AccuracyLow: <= 0.5, AccuracyHigh: >= 0.5 } metrics)
                doubts.Add(string.Create(
                    CultureInfo.InvariantCulture,
                    $"The held-out accuracy of {metrics.Accuracy:F3} can't be told from chance: its 95 % interval, {metrics.AccuracyLow:F3} "
                    + $"to {metrics.AccuracyHigh:F3} for {Counted.Of(metrics.PromptCount, "prompt")}, contains 0.5. "
                    + $"More held-out prompts make it narrower."));
            return doubts;
        }
    }
}
