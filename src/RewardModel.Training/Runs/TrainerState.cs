using RewardModel.Training.Reporting;

namespace RewardModel.Training.Runs;

/// <summary>Where a run stands between two steps, apart from weights and moments. Saved as JSON.</summary>
internal sealed record TrainerState
{
    /// <summary>Optimiser steps taken.</summary>
    public int Step { get; set; }

    /// <summary>Tokens trained on.</summary>
    public long TokensSeen { get; set; }

    /// <summary>Evaluations since the best one.</summary>
    public int EvaluationsSinceBest { get; set; }

    /// <summary>The newest evaluation.</summary>
    public EvaluationReport? LastEvaluation { get; set; }

    /// <summary>The best evaluation so far, by <see cref="TrainingOptions.BestBy"/>.</summary>
    public EvaluationReport? BestEvaluation { get; set; }
}
