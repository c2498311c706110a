using RewardModel.Training.Metrics;

namespace RewardModel.Training.Reporting;

/// <summary>Something that a running training tells: see the records derived from it.</summary>
/// <param name="Step">Optimiser steps taken when it was told.</param>
public abstract record TrainingReport(int Step);

/// <summary>What a run does besides optimiser steps, and how far it is.</summary>
/// <param name="Step">Optimiser steps taken before it.</param>
/// <param name="Phase">What it does.</param>
/// <param name="Done">How much of it is done.</param>
/// <param name="Total">How much there is: bytes to load, lists to tokenise or to evaluate.</param>
public sealed record PhaseReport(int Step, TrainingPhase Phase, long Done, long Total) : TrainingReport(Step);

/// <summary>What a run does besides optimiser steps.</summary>
public enum TrainingPhase
{
    /// <summary>Reads the model's weights.</summary>
    Loading,

    /// <summary>Makes token ids of the lists.</summary>
    Tokenizing,

    /// <summary>Scores the held-out lists.</summary>
    Evaluating,
}

/// <summary>One optimiser step.</summary>
/// <param name="Step">Steps taken, this one included.</param>
/// <param name="StepCount">Steps of the whole run.</param>
/// <param name="Epoch">Passes over the training lists so far, with fraction.</param>
/// <param name="Loss">The step's loss, before its update.</param>
/// <param name="Accuracy">Share of the step's pairs with the better answer's reward above the worse one's, before its update.</param>
/// <param name="LearningRate">The step's rate.</param>
/// <param name="GradientNorm">L2 norm of the gradients, before clipping.</param>
/// <param name="Tokens">Tokens of the step, a shared prompt counted once per list.</param>
/// <param name="TokensSeen">Tokens trained on since the beginning of the run, a shared prompt counted once per list.</param>
/// <param name="TokensPerSecond">Speed of this step.</param>
/// <param name="TimeLeft">What the remaining steps will take at the mean speed so far, evaluations not counted.</param>
public sealed record StepReport(
    int Step, int StepCount, double Epoch, double Loss, double Accuracy, double LearningRate, double GradientNorm,
    long Tokens, long TokensSeen, double TokensPerSecond, TimeSpan TimeLeft) : TrainingReport(Step);

/// <summary>One evaluation on the held-out lists.</summary>
/// <param name="Step">Steps taken before it.</param>
/// <param name="Metrics">What came out.</param>
/// <param name="IsBest">True when its accuracy is the highest so far.</param>
public sealed record EvaluationReport(int Step, RankingMetrics Metrics, bool IsBest) : TrainingReport(Step);
