using System.CommandLine;
using RewardModel.Scoring;

namespace RewardModel.Cli;

/// <summary><c>reward-model average</c>: one model of the mean of the weights of several.</summary>
internal static class AverageCommand
{
    public static Command Create(TextWriter output, TextWriter errors)
    {
        var directories = new Argument<string[]>("DIR")
        {
            Description = "Directories of reward models that were trained from one checkpoint: two or more.",
            Arity = new ArgumentArity(2, 1000),
        };
        var weights = CommonOptions.Value<string?>(
            "--weights", "X,X,...", "How much each model counts, in their order, such as 0.7,0.3. Default: all the same.");
        var target = new Option<string>("--output", "-o") { Description = "Directory for the model.", Required = true, HelpName = "DIR" };
        var command = new Command(
            "average", "Writes a model whose weights are the means of those of several models of one architecture.")
        {
            directories, weights, target,
        };
        command.SetAction(parsed =>
        {
            var directory = parsed.GetValue(target)!;
            if (Directory.Exists(directory) && Directory.EnumerateFileSystemEntries(directory).Any())
                throw new UsageException($"'{directory}' is not empty. Give a new --output, so that no file is overwritten.");
            var shares = CommonOptions.Numbers(parsed, weights);
            using var average = new ModelAverage(parsed.GetValue(directories)!);
            if (average.Normalized.ToArray() is { Length: > 0 } normalized)
                errors.WriteLine(
                    $"warning: the normaliser of {string.Join(", ", normalized.Select(model => $"'{model}'"))} is not that of the average, whose "
                    + "rewards are raw; reward-model normalize gives them a scale");
            using var model = average.Compute(shares);
            model.Save(directory, average.WeightType);
            output.WriteLine($"Model: {directory}");
        });
        return command;
    }
}
