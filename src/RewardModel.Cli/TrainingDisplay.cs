using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using RewardModel.Training.Reporting;
using Spectre.Console;

namespace RewardModel.Cli;

/// <summary>
/// Shows a running training on the error stream, which leaves the output to results: a live bar on a terminal, plain lines elsewhere.
/// </summary>
internal sealed class TrainingDisplay
{
    /// <summary>Between plain lines, so that a long run's log stays readable.</summary>
    private static readonly TimeSpan lineInterval = TimeSpan.FromSeconds(5);

    private readonly TextWriter errors;
    private readonly bool isQuiet;
    private readonly IAnsiConsole? terminal;

    public TrainingDisplay(TextWriter errors, bool quiet, bool verbose)
    {
        this.errors = errors;
        isQuiet = quiet;
        if (errors == Console.Error && !Console.IsErrorRedirected && !quiet)
            terminal = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(errors) });
        Logger = new LineLogger(Say, quiet ? LogLevel.Warning : verbose ? LogLevel.Debug : LogLevel.Information);
    }

    /// <summary>Writes what the library logs.</summary>
    public ILogger Logger { get; }

    /// <summary>Writes a line, above the bar where there is one.</summary>
    public void Say(string line)
    {
        if (terminal is null)
            errors.WriteLine(line);
        else
            terminal.WriteLine(line);
    }

    /// <summary>Runs a training, and shows it meanwhile.</summary>
    public T Show<T>(Func<IProgress<TrainingReport>?, T> train)
    {
        if (isQuiet)
            return train(null);
        if (terminal is null)
            return train(new PlainLines(errors));
        // As wide as any terminal is: what doesn't fit would push the bar away.
        return terminal.Progress()
            .Columns(
                new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn { Width = 16 }, new PercentageColumn())
            .Start(context => train(new LiveBar(context.AddTask("starting"), this, StepText.For(terminal.Profile))));
    }

    /// <summary>
    /// Runs a training, and shows it meanwhile. Ctrl-C and a polite kill end it after its current step, with its state saved; a second one ends
    /// it at once.
    /// </summary>
    /// <param name="train">The training.</param>
    /// <param name="hasState">Whether there is a state to continue from.</param>
    public T ShowUntilStopped<T>(Func<IProgress<TrainingReport>?, CancellationToken, T> train, Func<bool> hasState)
    {
        void Told() => Say("Stopping after this step; its state will be saved. Press Ctrl-C again to stop at once, without that.");
        try
        {
            return UntilStopped(stop => Show(progress => train(progress, stop)), Told);
        }
        catch (OperationCanceledException stopped)
        {
            throw new OperationCanceledException(
                hasState()
                    ? "Stopped. The state is saved: continue with --resume."
                    : "Stopped before training began; there is no state to continue from.",
                stopped);
        }
    }

    /// <summary>Runs what signals end likewise, for a rank that shows nothing: the first one does.</summary>
    public static T UntilStopped<T>(Func<CancellationToken, T> train, Action? told = null)
    {
        using var stop = new CancellationTokenSource();
        void OnSignal(PosixSignalContext signal)
        {
            signal.Cancel = !stop.IsCancellationRequested;
            if (!stop.IsCancellationRequested)
                told?.Invoke();
            stop.Cancel();
        }
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
        return train(stop.Token);
    }

    private static string Text(StepReport step) => string.Create(
        CultureInfo.InvariantCulture,
        $"step {step.Step}/{step.StepCount}  epoch {step.Epoch:F2}  loss {step.Loss:F4}  "
        + $"{(double.IsNaN(step.Accuracy) ? "" : string.Create(CultureInfo.InvariantCulture, $"accuracy {step.Accuracy:F3}  "))}"
        + $"learning rate {step.LearningRate:G3}  gradient norm {step.GradientNorm:F2}  "
        + $"{step.TokensPerSecond:N0} tokens/s  {RankTimes(step)}{Sizes.Time(step.TimeLeft)} left");

    /// <summary>How much longer the slowest rank computed than ranks did on average.</summary>
    private static string RankTimes(StepReport step) => step.RankSeconds is not { } seconds || seconds.Average() == 0
        ? ""
        : string.Create(CultureInfo.InvariantCulture, $"slowest rank +{seconds.Max() / seconds.Average() - 1:P0}  ");

    private static string Text(PhaseReport phase) => phase.Phase switch
    {
        TrainingPhase.Loading => $"loading {Sizes.Bytes(phase.Done)} of {Sizes.Bytes(phase.Total)}",
        TrainingPhase.Tokenizing => string.Create(CultureInfo.InvariantCulture, $"tokenising {phase.Done:N0} of {phase.Total:N0} lists"),
        _ => string.Create(CultureInfo.InvariantCulture, $"evaluating {phase.Done:N0} of {phase.Total:N0} lists"),
    };

    private static string Text(EvaluationReport evaluation) => string.Create(
        CultureInfo.InvariantCulture,
        $"evaluation {(evaluation.AverageOf is null ? $"after step {evaluation.Step}" : $"of the {MetricsText.WeightsOf(evaluation)}")}: loss {evaluation.Metrics.Loss:F4}  {MetricsText.OfPairs(evaluation.Metrics, $"accuracy {evaluation.Metrics.Accuracy:F4}  ")}"
        + $"{MetricsText.LabelAccuracyOf(evaluation.Metrics)}{MetricsText.AttributeErrorOf(evaluation.Metrics)}"
        + $"{MetricsText.OfPairs(evaluation.Metrics, $"Kendall tau {evaluation.Metrics.KendallTau:F3}")}{(evaluation.IsBest ? "  (best)" : "")}");

    private sealed class PlainLines(TextWriter errors) : IProgress<TrainingReport>
    {
        private readonly Lock reporting = new();
        private readonly Stopwatch sinceLine = new();
        private readonly Stopwatch sincePhaseLine = Stopwatch.StartNew();

        public void Report(TrainingReport value)
        {
            // Of phases, several threads tell.
            lock (reporting)
                Write(value);
        }

        private void Write(TrainingReport value)
        {
            switch (value)
            {
                case PhaseReport phase when sincePhaseLine.Elapsed >= lineInterval:
                    errors.WriteLine(Text(phase));
                    sincePhaseLine.Restart();
                    break;
                case EvaluationReport evaluation:
                    errors.WriteLine(Text(evaluation));
                    break;
                case StepReport step when !sinceLine.IsRunning || sinceLine.Elapsed >= lineInterval || step.Step == step.StepCount:
                    errors.WriteLine(Text(step));
                    sinceLine.Restart();
                    break;
            }
        }
    }

    private sealed class LiveBar(ProgressTask bar, TrainingDisplay display, StepText text) : IProgress<TrainingReport>
    {
        public void Report(TrainingReport value)
        {
            switch (value)
            {
                case PhaseReport phase:
                    bar.MaxValue = Math.Max(1, phase.Total);
                    bar.Value = phase.Done;
                    bar.Description = Markup.Escape(Text(phase));
                    break;
                case EvaluationReport evaluation:
                    display.Say(Text(evaluation));
                    break;
                case StepReport step:
                    bar.MaxValue = step.StepCount;
                    bar.Value = step.Step;
                    bar.Description = Markup.Escape(text.Of(step));
                    break;
            }
        }
    }
}
