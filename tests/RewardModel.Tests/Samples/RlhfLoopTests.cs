using System.Globalization;
using System.Text.RegularExpressions;
using RewardModel.Scoring;
using RewardModel.Training.Data;

namespace RewardModel.Tests.Samples;

public sealed partial class RlhfLoopTests(RlhfLoopTests.TinyLoop loop) : IClassFixture<RlhfLoopTests.TinyLoop>
{
    [Fact]
    public void The_reward_and_the_true_quality_rise()
    {
        var (reference, policy) = (loop.First.HeldOut["reference policy"], loop.First.HeldOut["policy after GRPO"]);
        // With seeds 1, 2 and 3 sorted answers rise by 0.26 to 0.30, pairs in order by 0.05 to 0.08, and rewards by 1.5 to 1.8.
        Assert.InRange(reference.Sorted, 0.15, 0.45);
        Assert.True(policy.Sorted > reference.Sorted + 0.15, $"{reference} -> {policy}");
        Assert.True(policy.Pairs > reference.Pairs + 0.02, $"{reference} -> {policy}");
        Assert.True(policy.Reward > reference.Reward + 0.75, $"{reference} -> {policy}");
        Assert.Equal(0, reference.Kl);
        Assert.InRange(policy.Kl, 0.2, 4);
    }

    [Fact]
    public void The_best_of_more_answers_is_better_and_farther_from_the_reference()
    {
        var (one, four, sixteen) = (
            loop.First.HeldOut["reference policy"], loop.First.HeldOut["its best of 4"], loop.First.HeldOut["its best of 16"]);
        Assert.True(one.Reward < four.Reward && four.Reward < sixteen.Reward);
        Assert.True(one.Sorted < four.Sorted && four.Sorted < sixteen.Sorted);
        Assert.Equal(Math.Log(4) - 3.0 / 4, four.Kl, 6e-4);
        Assert.Equal(Math.Log(16) - 15.0 / 16, sixteen.Kl, 6e-4);
    }

    [Fact]
    public void Without_a_cost_of_the_distance_the_policy_goes_farther()
    {
        Assert.Equal(20, loop.First.Steps[^1].Step);
        Assert.Equal(20, loop.WithoutKl.Steps[^1].Step);
        Assert.True(loop.WithoutKl.HeldOut["policy after GRPO"].Kl > loop.First.HeldOut["policy after GRPO"].Kl);
    }

    [Fact]
    public void The_same_seed_gives_the_same_numbers()
    {
        Assert.Equal(loop.WithoutKl.Steps, loop.WithoutKlAgain.Steps);
        Assert.Equal(loop.WithoutKl.HeldOut, loop.WithoutKlAgain.HeldOut);
    }

    [Fact]
    public void The_reward_model_that_is_saved_tells_a_sorted_answer_from_one_with_two_items_swapped()
    {
        using var model = ScoringModel.Load(loop.RewardModelDirectory);
        var random = new SplitMix64(1);
        var rightCount = 0;
        for (var i = 0; i < 100; i++)
        {
            var items = Enumerable.Range(1, 15).ToArray();
            random.Shuffle<int>(items);
            int[] sorted = [.. items[..5].Order()];
            var first = random.NextBelow(4);
            int[] swapped = [.. sorted[..first], sorted[first + 1], sorted[first], .. sorted[(first + 2)..]];
            var rewards = model.Score(
                $"Sort {string.Join(' ', items[..5])} ascending:", string.Join(' ', sorted), string.Join(' ', swapped));
            rightCount += rewards[0] > rewards[1] ? 1 : 0;
        }
        Assert.InRange(rightCount, 75, 100);
    }

    [Theory]
    [InlineData]
    [InlineData("somewhere", "--kl", "-1")]
    [InlineData("somewhere", "--steps", "0")]
    [InlineData("somewhere", "--size", "large")]
    [InlineData("somewhere", "--reward-model", "not-there")]
    public void Arguments_that_make_no_sense_show_the_usage(params string[] arguments)
    {
        var (exitCode, output, error) = SampleProgram.RlhfLoop.Run(arguments);
        Assert.Equal((2, ""), (exitCode, output));
        Assert.StartsWith("Usage: RlhfLoop OUTPUT_DIR [--size full|tiny] [--seed S", error, StringComparison.Ordinal);
        Assert.False(Directory.Exists("somewhere"));
    }

    [GeneratedRegex(@"^ +([0-9]+) +(-?[0-9.]+) +([0-9.]+) +([0-9.]+) +(-?[0-9.]+) +([0-9.]+) +[0-9]+$", RegexOptions.Multiline)]
    private static partial Regex StepRow();

    [GeneratedRegex(@"^([a-zA-Z][a-zA-Z0-9 ]+?) +(-?[0-9.]+) +([0-9.]+) +([0-9.]+) +(-?[0-9.]+)$", RegexOptions.Multiline)]
    private static partial Regex HeldOutRow();

    public sealed record StepFigures(int Step, double Reward, double Sorted, double Pairs, double Kl, double Entropy);

    public sealed record HeldOutFigures(double Reward, double Sorted, double Pairs, double Kl);

    /// <summary>What a run printed.</summary>
    public sealed record Printed(IReadOnlyList<StepFigures> Steps, IReadOnlyDictionary<string, HeldOutFigures> HeldOut)
    {
        public static Printed Of(string output) => new(
            [
                .. StepRow().Matches(output).Select(row => new StepFigures(
                    int.Parse(row.Groups[1].Value), Number(row, 2), Number(row, 3), Number(row, 4), Number(row, 5), Number(row, 6))),
            ],
            HeldOutRow().Matches(output).ToDictionary(
                row => row.Groups[1].Value, row => new HeldOutFigures(Number(row, 2), Number(row, 3), Number(row, 4), Number(row, 5))));

        private static double Number(Match row, int group) => double.Parse(row.Groups[group].Value, CultureInfo.InvariantCulture);
    }

    /// <summary>A run of the tiny size, and two more with its reward model and no KL penalty.</summary>
    public sealed class TinyLoop : IDisposable
    {
        private readonly string directory = Directory.CreateTempSubdirectory("rlhf-loop-").FullName;

        public TinyLoop()
        {
            First = Run("--seed", "1");
            WithoutKl = Run("--seed", "1", "--kl", "0", "--reward-model", RewardModelDirectory);
            WithoutKlAgain = Run("--seed", "1", "--kl", "0", "--reward-model", RewardModelDirectory);
        }

        public Printed First { get; }

        public Printed WithoutKl { get; }

        public Printed WithoutKlAgain { get; }

        public string RewardModelDirectory => Path.Combine(directory, "reward-model");

        public void Dispose() => Directory.Delete(directory, recursive: true);

        private Printed Run(params string[] options)
        {
            var (exitCode, output, error) = SampleProgram.RlhfLoop.Run([directory, "--size", "tiny", .. options]);
            Assert.Equal((0, ""), (exitCode, error));
            return Printed.Of(output);
        }
    }
}
