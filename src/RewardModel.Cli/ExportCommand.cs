using System.CommandLine;
using RewardModel.Adapters;
using RewardModel.Checkpoints;
using RewardModel.Scoring;
using RewardModel.Training;

namespace RewardModel.Cli;

/// <summary>
/// <c>reward-model export</c>: a model from a run that has not ended, or other weights of one that has; or a model in another form.
/// </summary>
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
            "--model", "DIR", "Directory of a reward model to write again: also another trainer's, which gets this one's form.").Or("-m");
        var baseModel = CommonOptions.BaseModel();
        var outputWeights = CommonOptions.OutputWeights();
        var merge = new Option<bool>("--merge") { Description = "Write the whole model of an adapter, --model, and its base model." };
        var fold = new Option<bool>("--fold-normalizer")
        {
            Description = "Put the normaliser of --model into its head's weight and bias, so that transformers computes normalised rewards.",
        };
        var target = new Option<string>("--output", "-o") { Description = "Directory for the model.", Required = true, HelpName = "DIR" };
        var command = new Command(
            "export", "Writes a model of a training run that was interrupted, or of its last weights; or a model in another form.")
        {
            run, step, model, baseModel, outputWeights, merge, fold, target,
        };
        command.Validators.Add(result =>
        {
            if (result.GetResult(run) is null == result.GetResult(model) is null)
                result.AddError("Give either --run DIR or --model DIR.");
            else if (result.GetResult(run) is null && result.GetResult(step) is { Implicit: false })
                result.AddError("--step chooses weights of a run; give it with --run.");
            else if (result.GetResult(model) is null && result.GetValue(fold))
                result.AddError("--fold-normalizer needs a normaliser, which a run's weights don't have; give --model, such as the run's directory.");
            else if (result.GetResult(model) is null && result.GetResult(outputWeights) is not null)
                result.AddError("--output-weights are of the model of --model; a run has its own.");
            else if (result.GetResult(model) is null && (result.GetValue(merge) || result.GetResult(baseModel) is not null))
                result.AddError("--merge and --base-model are of an adapter; give it with --model.");
        });
        command.SetAction(parsed =>
        {
            var directory = parsed.GetValue(target)!;
            if (Directory.Exists(directory) && Directory.EnumerateFileSystemEntries(directory).Any())
                throw new UsageException($"'{directory}' is not empty. Give a new --output, so that no file is overwritten.");
            if (parsed.GetValue(model) is { } source)
            {
                WriteAgain(
                    source, parsed.GetValue(baseModel), CommonOptions.WeightsOfOutputs(parsed, outputWeights), parsed.GetValue(merge),
                    parsed.GetValue(fold), directory);
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

    private static void WriteAgain(
        string source, string? baseModel, OutputWeights? outputWeights, bool merge, bool fold, string directory)
    {
        if (merge && !AdapterConfig.IsIn(source))
            throw new UsageException($"'{source}' has no adapter_config.json, so there is nothing to merge.");
        using var model = merge
            ? ScoringModel.LoadMerged(source, baseModel, outputWeights)
            : ScoringModel.Load(source, baseDirectory: baseModel, outputWeights: outputWeights);
        // A merged weight is a sum, which 16 bits would round.
        var type = AdapterConfig.IsIn(source) ? TorchSharp.torch.ScalarType.Float32 : TypeOf(source);
        model.Save(directory, type, foldNormalizer: fold);
    }

    private static TorchSharp.torch.ScalarType TypeOf(string directory)
    {
        using var reader = CheckpointReader.Open(directory);
        return reader.WeightType;
    }
}
