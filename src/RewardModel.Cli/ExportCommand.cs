using System.CommandLine;
using RewardModel.Checkpoints;
using RewardModel.Scoring;
using RewardModel.Training;

namespace RewardModel.Cli;

/// <summary><c>reward-model export</c>: a model from a run that has not ended, or other weights of one that has; or a model in another form.</summary>
internal static class ExportCommand
{
    private enum Weights
    {
        Best,
        Last,
    }

    public static Command Create(TextWriter output, TextWriter errors)
    {
        var run = CommonOptions.Value<string?>("--run", "DIR", "Output directory of a training run, interrupted or ended.");
        var step = CommonOptions.Choice<Weights>("--step", "The run's best evaluated weights so far, or those of its newest state.");
        var model = CommonOptions.Value<string?>(
            "--model", "DIR", "Directory of a reward model to write again: also another trainer's, which gets this one's form.");
        var fold = new Option<bool>("--fold-normalizer")
        {
            Description = "Put the normaliser of --model into its head's weight and bias, so that transformers computes normalised rewards.",
        };
        var target = new Option<string>("--output", "-o") { Description = "Directory for the model.", Required = true, HelpName = "DIR" };
        var command = new Command("export", "Writes a model of a training run that was interrupted, or of its last weights; or a model in another form.")
        {
            run, step, model, fold, target,
        };
        command.Validators.Add(result =>
        {
            if (result.GetResult(run) is null == result.GetResult(model) is null)
                result.AddError("Give either --run DIR or --model DIR.");
            else if (result.GetResult(run) is null && result.GetResult(step) is { Implicit: false })
                result.AddError("--step chooses weights of a run; give it with --run.");
            else if (result.GetResult(model) is null && result.GetValue(fold))
                result.AddError("--fold-normalizer needs a normaliser, which a run's weights don't have; give --model, such as the run's directory.");
        });
        command.SetAction(parsed =>
        {
            var directory = parsed.GetValue(target)!;
            if (Directory.Exists(directory) && Directory.EnumerateFileSystemEntries(directory).Any())
                throw new UsageException($"'{directory}' is not empty. Give a new --output, so that no file is overwritten.");
            if (parsed.GetValue(model) is { } source)
            {
                using var scoringModel = ScoringModel.Load(source);
                scoringModel.Save(directory, TypeOf(source), foldNormalizer: parsed.GetValue(fold));
                output.WriteLine($"Model: {directory}");
                return;
            }
            var from = TrainingRun.Export(parsed.GetValue(run)!, parsed.GetValue(step) == Weights.Best, directory);
            if (TrainingRun.OptionsOf(parsed.GetValue(run)!).Normalization is not null)
                errors.WriteLine("warning: the exported model's rewards are raw, unlike those that its run ends with; reward-model normalize gives them a scale");
            output.WriteLine($"Model: {directory}, weights of step {from}");
        });
        return command;
    }

    private static TorchSharp.torch.ScalarType TypeOf(string directory)
    {
        using var reader = CheckpointReader.Open(directory);
        return reader.WeightType;
    }
}
