using System.Globalization;
using RewardModel.Lists;
using RewardModel.Training.Reporting;

namespace RewardModel.Training;

/// <summary>What a finished run gave.</summary>
/// <param name="StepCount">Optimiser steps taken.</param>
/// <param name="TokensSeen">Tokens trained on.</param>
/// <param name="FinalEvaluation">The evaluation after the last step; null without held-out lists.</param>
/// <param name="BestEvaluation">The evaluation whose weights the model has now; null without held-out lists.</param>
/// <param name="StoppedEarly">
/// True when no evaluation had been better for <see cref="TrainingOptions.EarlyStopPatience"/> evaluations.
/// </param>
public sealed record TrainingResult(
    int StepCount, long TokensSeen, EvaluationReport? FinalEvaluation, EvaluationReport? BestEvaluation, bool StoppedEarly)
{
    /// <summary>Why the model may be no better than before, in sentences; empty where the evaluations leave no such doubt.</summary>
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
                    $"The held-out accuracy of {metrics.Accuracy:F3} can't be told from chance: its 95 % interval, {metrics.AccuracyLow:F3} to "
                    + $"{metrics.AccuracyHigh:F3} for {Counted.Of(metrics.PromptCount, "prompt")}, contains 0.5. More held-out prompts make it narrower."));
            return doubts;
        }
    }
}
