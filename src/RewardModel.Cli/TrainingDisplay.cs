using System.Diagnostics;
using System.Globalization;
using RewardModel.Training;
using RewardModel.Training.Metrics;
using RewardModel.Training.Reporting;
using Spectre.Console;

namespace RewardModel.Cli;

/// <summary>Shows a running training: a live bar on a terminal, plain lines elsewhere.</summary>
internal static class TrainingDisplay
{
    /// <summary>Between plain lines, so that a long run's log stays readable.</summary>
    private static readonly TimeSpan lineInterval = TimeSpan.FromSeconds(5);

    /// <summary>Runs a training, shown live when <paramref name="output"/> is an interactive terminal.</summary>
    public static TrainingResult Show(TextWriter output, Func<IProgress<TrainingReport>, TrainingResult> train)
    {
        if (output != Console.Out || Console.IsOutputRedirected)
            return train(new PlainLines(output));
        return AnsiConsole.Progress()
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn())
            .Start(context => train(new LiveBar(context.AddTask("starting"))));
    }

    /// <summary>A line about an evaluation, the same wherever one is told.</summary>
    public static string Text(RankingMetrics metrics) => string.Create(CultureInfo.InvariantCulture,
        $"loss {metrics.Loss:F4}  accuracy {metrics.Accuracy:F4}  Kendall tau {metrics.KendallTau:F4}  "
        + $"top-1 {metrics.TopAnswerAccuracy:F4}  margin {metrics.Margin:F3}  "
        + $"reward {metrics.RewardMean:F3} ± {metrics.RewardStandardDeviation:F3}");

    private static string Text(StepReport step) => string.Create(CultureInfo.InvariantCulture,
        $"step {step.Step}/{step.StepCount}  epoch {step.Epoch:F2}  loss {step.Loss:F4}  accuracy {step.Accuracy:F3}  "
        + $"learning rate {step.LearningRate:G3}  gradient norm {step.GradientNorm:F2}  "
        + $"{step.TokensPerSecond:N0} tokens/s  {Text(step.TimeLeft)} left");

    private static string Text(EvaluationReport evaluation) =>
        $"evaluation after step {evaluation.Step}: {Text(evaluation.Metrics)}{(evaluation.IsBest ? "  (best)" : "")}";

    private static string Text(TimeSpan time) =>
        time.ToString(time.TotalHours < 1 ? @"mm\:ss" : @"d\.hh\:mm\:ss", CultureInfo.InvariantCulture);

    private sealed class PlainLines(TextWriter output) : IProgress<TrainingReport>
    {
        private readonly Stopwatch sinceLine = new();

        public void Report(TrainingReport value)
        {
            switch (value)
            {
                case EvaluationReport evaluation:
                    output.WriteLine(Text(evaluation));
                    break;
                case StepReport step when !sinceLine.IsRunning || sinceLine.Elapsed >= lineInterval || step.Step == step.StepCount:
                    output.WriteLine(Text(step));
                    sinceLine.Restart();
                    break;
            }
        }
    }

    private sealed class LiveBar(ProgressTask bar) : IProgress<TrainingReport>
    {
        public void Report(TrainingReport value)
        {
            switch (value)
            {
                case EvaluationReport evaluation:
                    AnsiConsole.WriteLine(Text(evaluation));
                    break;
                case StepReport step:
                    bar.MaxValue = step.StepCount;
                    bar.Value = step.Step;
                    bar.Description = Markup.Escape(Text(step));
                    break;
            }
        }
    }
}
