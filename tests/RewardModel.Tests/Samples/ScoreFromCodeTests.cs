namespace RewardModel.Tests.Samples;

public sealed class ScoreFromCodeTests
{
    [Fact]
    public void Prints_the_answers_with_their_rewards_the_best_first()
    {
        const string prompt = "Sort 5 2 3 16 17 19 10 7 ascending:";
        string[] answers = ["19 17 16 10 7 5 3 2", "2 3 5 7 10 16 17 19", "7 17 5 3 2 19 10 16"];
        using var sample = new SampleModel(1);
        var rewards = sample.Model.Score(prompt, answers);

        var (exitCode, output, error) = SampleProgram.ScoreFromCode.Run([sample.ModelDirectory, prompt, .. answers]);

        Assert.Equal((0, ""), (exitCode, error));
        var ranking = rewards.Zip(answers).OrderByDescending(scored => scored.First).ToArray();
        var preference = 1 / (1 + Math.Exp(ranking[1].First - ranking[0].First));
        Assert.Equal(
            [
                .. ranking.Select(scored => $"{scored.First,8:F4}  {scored.Second}"),
                $"The first is preferred to the second with probability {preference:F4}",
                "",
            ],
            output.Split('\n'));
    }

    [Theory]
    [InlineData]
    [InlineData("somewhere", "prompt", "answer")]
    public void Arguments_that_make_no_sense_show_the_usage(params string[] arguments) =>
        Assert.Equal((2, "", "Usage: ScoreFromCode MODEL_DIR PROMPT ANSWER ANSWER...\n"), SampleProgram.ScoreFromCode.Run(arguments));
}
