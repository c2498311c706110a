using RewardModel.Scoring;
using RewardModel.Training.Diagnosis;
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

    /// <summary>
    /// What is wrong with the training or its model, the worst first: docs/diagnosis.md describes every diagnosis. A <see cref="Trainer"/>
    /// by itself keeps no steps, and says what its evaluations show.
    /// </summary>
    public IReadOnlyList<RunDiagnosis> Diagnoses { get; init; } = [];
}
