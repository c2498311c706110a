using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace RewardModel.Training.Reporting;

/// <summary>
/// The meter and the activity of training; docs/telemetry.md describes them. Nothing is measured and no activity is made unless somebody
/// listens.
/// </summary>
internal static class TrainingTelemetry
{
    public const string MeterName = "RewardModel.Training";
    public const string ActivitySourceName = "RewardModel";
    public const string TrainActivity = "reward_model.train";
    public const string StepCounter = "reward_model.training.steps";
    public const string TokenCounter = "reward_model.training.tokens";
    public const string LossGauge = "reward_model.training.loss";
    public const string AccuracyGauge = "reward_model.training.accuracy";
    public const string LearningRateGauge = "reward_model.training.learning_rate";
    public const string GradientNormGauge = "reward_model.training.gradient_norm";
    public const string HeldOutLossGauge = "reward_model.training.held_out.loss";
    public const string HeldOutAccuracyGauge = "reward_model.training.held_out.accuracy";

    private static readonly string version = typeof(TrainingTelemetry).Assembly.GetName().Version!.ToString(3);
    private static readonly ActivitySource activities = new(ActivitySourceName, version);
    private static readonly Meter meter = new(MeterName, version);

    private static readonly Counter<long> steps = meter.CreateCounter<long>(StepCounter, "{step}", "Optimiser steps that were taken.");

    private static readonly Counter<long> tokens = meter.CreateCounter<long>(
        TokenCounter, "{token}", "Tokens that were trained on, a shared prompt counted once.");

    private static readonly Gauge<double> loss = meter.CreateGauge<double>(LossGauge, "1", "Loss of the newest step.");

    private static readonly Gauge<double> accuracy = meter.CreateGauge<double>(
        AccuracyGauge, "1", "Share of the newest step's pairs whose better answer had the higher reward.");

    private static readonly Gauge<double> learningRate = meter.CreateGauge<double>(
        LearningRateGauge, "1", "Learning rate of the newest step.");

    private static readonly Gauge<double> gradientNorm = meter.CreateGauge<double>(
        GradientNormGauge, "1", "L2 norm of the newest step's gradients, before clipping.");

    private static readonly Gauge<double> heldOutLoss = meter.CreateGauge<double>(
        HeldOutLossGauge, "1", "Loss of the newest evaluation.");

    private static readonly Gauge<double> heldOutAccuracy = meter.CreateGauge<double>(
        HeldOutAccuracyGauge, "1", "Pairwise accuracy of the newest evaluation.");

    /// <summary>The activity of a whole run, to be disposed of at its end; null when nobody listens.</summary>
    public static Activity? StartRun() => activities.StartActivity(TrainActivity);

    /// <summary>Measures what a run tells.</summary>
    public static void Record(TrainingReport value)
    {
        switch (value)
        {
            case StepReport step:
                steps.Add(1);
                tokens.Add(step.Tokens);
                loss.Record(step.Loss);
                accuracy.Record(step.Accuracy);
                learningRate.Record(step.LearningRate);
                gradientNorm.Record(step.GradientNorm);
                break;
            case EvaluationReport evaluation:
                heldOutLoss.Record(evaluation.Metrics.Loss);
                heldOutAccuracy.Record(evaluation.Metrics.Accuracy);
                break;
        }
    }
}
