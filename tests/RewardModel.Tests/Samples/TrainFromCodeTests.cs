using System.Text.RegularExpressions;
using RewardModel.Ranking;
using RewardModel.Reading;
using RewardModel.Scoring;
using RewardModel.Training.Metrics;

namespace RewardModel.Tests.Samples;

public sealed partial class TrainFromCodeTests
{
    [Fact]
    public void Prints_its_progress_and_saves_the_model_that_it_evaluated()
    {
        using var directory = new TemporaryDirectory();
        Assert.Equal(0, SampleProgram.GenerateSortingTask.Run(directory["task"], "--lists", "40").ExitCode);

        var (exitCode, output, error) = SampleProgram.TrainFromCode.Run(directory["task"], directory["model"], "10");

        Assert.Equal((0, ""), (exitCode, error));
        var lines = output.TrimEnd('\n').Split('\n');
        var saved = Array.FindIndex(lines, line => line.StartsWith("Saved", StringComparison.Ordinal));
        var accuracies = lines[..saved].Select(line => EvaluationLine().Match(line)).Where(match => match.Success).ToArray();
        Assert.Equal(Enumerable.Range(0, 11), accuracies.Select(match => int.Parse(match.Groups["step"].Value)));
        var step = Assert.Single(lines[..saved].Except(accuracies.Select(match => match.Value)));
        Assert.Matches(@"^step 10/10: loss [0-9]\.[0-9]{4}, [0-9]+ tokens/s$", step);
        var best = accuracies.Last(match => match.Groups["best"].Success);
        Assert.Equal($"Saved the weights of step {best.Groups["step"].Value} in '{directory["model"]}'", lines[saved]);
        // After ten steps, and with four prompts to evaluate on, not all is well.
        Assert.Contains(lines[(saved + 1)..], line => line.StartsWith("Note: The held-out accuracy of ", StringComparison.Ordinal));
        Assert.Equal(best.Groups["accuracy"].Value, $"{Accuracy(directory["model"], directory["task"]):F4}");
    }

    [Fact]
    public void A_finished_training_started_again_takes_no_step_more()
    {
        using var directory = new TemporaryDirectory();
        Assert.Equal(0, SampleProgram.GenerateSortingTask.Run(directory["task"], "--lists", "2").ExitCode);
        var first = SampleProgram.TrainFromCode.Run(directory["task"], directory["model"], "2");
        var second = SampleProgram.TrainFromCode.Run(directory["task"], directory["model"], "2");

        Assert.Equal((0, ""), (second.ExitCode, second.Error));
        Assert.Equal(first.Output[first.Output.IndexOf("Saved", StringComparison.Ordinal)..], second.Output);
    }

    [Theory]
    [InlineData]
    [InlineData("somewhere")]
    [InlineData("somewhere", "else", "0")]
    [InlineData("somewhere", "else", "many")]
    [InlineData("somewhere", "else", "1", "2")]
    public void Arguments_that_make_no_sense_show_the_usage(params string[] arguments) =>
        Assert.Equal(
            (2, "", "Usage: TrainFromCode TASK_DIR MODEL_DIR [STEPS, at least 1, default 500]\n"),
            SampleProgram.TrainFromCode.Run(arguments));

    private static double Accuracy(string model, string task)
    {
        using var scoring = ScoringModel.Load(model);
        var lists = scoring.Tokenize(RankedListReader.Read(Path.Combine(task, "test.jsonl")).Lists).Lists;
        var metrics = new RankingMetricsAccumulator(RankingLoss.ByName("log-sigmoid"));
        foreach (var (list, rewards) in lists.Zip(new RewardScorer(scoring.Transformer).Score(lists)))
            metrics.Add(rewards, new(list.Scores));
        return metrics.Result.Accuracy;
    }

    [GeneratedRegex(@"^after step (?<step>[0-9]+): held-out accuracy (?<accuracy>[01]\.[0-9]{4})(?<best> \(best\))?$")]
    private static partial Regex EvaluationLine();
}
