using System.CommandLine;
using RewardModel.Training;

namespace RewardModel.Cli;

/// <summary><c>reward-model export</c>: a model from a run that has not ended, or other weights of one that has.</summary>
internal static class ExportCommand
{
    private enum Weights
    {
        Best,
        Last,
    }

    public static Command Create(TextWriter output)
    {
        var run = new Option<string>("--run")
        {
            Description = "Output directory of a training run, interrupted or ended.",
            Required = true,
            HelpName = "DIR",
        };
        var step = CommonOptions.Choice<Weights>("--step", "The best evaluated weights so far, or those of the newest state.");
        var target = new Option<string>("--output", "-o") { Description = "Directory for the model.", Required = true, HelpName = "DIR" };
        var command = new Command("export", "Writes a model of a training run that was interrupted, or of its last weights.")
        {
            run, step, target,
        };
        command.SetAction(parsed =>
        {
            var directory = parsed.GetValue(target)!;
            if (Directory.Exists(directory) && Directory.EnumerateFileSystemEntries(directory).Any())
                throw new UsageException($"'{directory}' is not empty. Give a new --output, so that no file is overwritten.");
            var from = TrainingRun.Export(parsed.GetValue(run)!, parsed.GetValue(step) == Weights.Best, directory);
            output.WriteLine($"Model: {directory}, weights of step {from}");
        });
        return command;
    }
}
