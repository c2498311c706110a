using RewardModel.Training.Reporting;

namespace RewardModel.Training;

/// <summary>What a finished run gave.</summary>
/// <param name="StepCount">Optimiser steps taken.</param>
/// <param name="TokensSeen">Tokens trained on.</param>
/// <param name="FinalEvaluation">The evaluation after the last step; null without held-out lists.</param>
/// <param name="BestEvaluation">The evaluation whose weights the model has now; null without held-out lists.</param>
/// <param name="StoppedEarly">True when accuracy had not risen for <see cref="TrainingOptions.EarlyStopPatience"/> evaluations.</param>
public sealed record TrainingResult(
    int StepCount, long TokensSeen, EvaluationReport? FinalEvaluation, EvaluationReport? BestEvaluation, bool StoppedEarly);
