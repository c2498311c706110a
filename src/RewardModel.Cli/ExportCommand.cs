using System.CommandLine;
using RewardModel.Scoring;
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
        var run = new Option<string?>("--run")
        {
            Description = "Output directory of a training run, interrupted or ended.",
            HelpName = "DIR",
        };
        var merge = new Option<bool>("--merge")
        {
            Description = "Write a whole model of an adapter, --model, and its base model.",
        };
        var model = CommonOptions.Value<string?>("--model", "DIR", "Directory of an adapter, with --merge.").Or("-m");
        var baseModel = CommonOptions.BaseModel();
        var step = CommonOptions.Choice<Weights>("--step", "The best evaluated weights so far, or those of the newest state.");
        var target = new Option<string>("--output", "-o") { Description = "Directory for the model.", Required = true, HelpName = "DIR" };
        var command = new Command(
            "export", "Writes a model of a training run that was interrupted, or of its last weights; or of an adapter and its base model.")
        {
            run, step, merge, model, baseModel, target,
        };
        command.Validators.Add(result =>
        {
            var merges = result.GetValue(merge);
            if (result.GetResult(run) is not null == merges || result.GetResult(model) is not null != merges)
                result.AddError("Give either --run DIR, or --merge with --model DIR.");
            if (merges && result.GetResult(step) is { Implicit: false })
                result.AddError("--step chooses weights of --run; an adapter has one set of them.");
            if (!merges && result.GetResult(baseModel) is not null)
                result.AddError("--base-model has no effect without --merge.");
        });
        command.SetAction(parsed =>
        {
            var directory = parsed.GetValue(target)!;
            if (Directory.Exists(directory) && Directory.EnumerateFileSystemEntries(directory).Any())
                throw new UsageException($"'{directory}' is not empty. Give a new --output, so that no file is overwritten.");
            if (parsed.GetValue(merge))
            {
                Merge(parsed.GetValue(model)!, parsed.GetValue(baseModel), directory);
                output.WriteLine($"Model: {directory}");
                return;
            }
            var from = TrainingRun.Export(parsed.GetValue(run)!, parsed.GetValue(step) == Weights.Best, directory);
            output.WriteLine($"Model: {directory}, weights of step {from}");
        });
        return command;
    }

    private static void Merge(string adapter, string? baseModel, string directory)
    {
        using var model = ScoringModel.Load(adapter, baseDirectory: baseModel);
        if (model.Transformer.Adapter is null)
            throw new UsageException($"'{adapter}' has no adapter_config.json, so there is nothing to merge.");
        model.Transformer.MergeAdapter();
        model.Save(directory);
    }
}
