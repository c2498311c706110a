using System.CommandLine;
using RewardModel.Data;
using RewardModel.Training;
using RewardModel.Training.Sweeps;

namespace RewardModel.Cli;

/// <summary><c>reward-model sweep</c>: trainings with several sets of options, one after the other.</summary>
internal static class SweepCommand
{
    public static Command Create(TextWriter output, TextWriter errors)
    {
        var plan = new Argument<string>("SWEEP.yaml") { Description = "What is tried: see docs/sweeps.md." };
        var directory = new Option<string>("--output", "-o") { Description = "Directory for the trials.", Required = true, HelpName = "DIR" };
        var resume = new Option<bool>("--resume") { Description = "Continue a sweep that was interrupted." };
        var quiet = CommonOptions.Quiet();
        var verbose = CommonOptions.Verbose();
        var command = new Command("sweep", "Trains with several sets of options, one after the other, and compares them.")
        {
            plan, directory, resume, quiet, verbose,
        };
        command.SetAction(parsed =>
        {
            var display = new TrainingDisplay(errors, parsed.GetValue(quiet), parsed.GetValue(verbose));
            var run = new SweepRun(
                parsed.GetValue(plan)!, parsed.GetValue(directory)!, parsed.GetValue(resume), display.Logger,
                new TrainingInputs { Tables = new DuckDbTables() });
            var result = display.ShowUntilStopped(run.Run, () => Directory.Exists(parsed.GetValue(directory)!));
            output.WriteLine(result.ToText());
            if (result.Best is { } best)
                output.WriteLine($"Best:  {best.Directory}");
        });
        return command;
    }
}
