using RewardModel.Training.Data;
using RewardModel.Training.Metrics;
using RewardModel.Training.Sweeps;

namespace RewardModel.Tests.Training.Sweeps;

public class SweepResultTests
{
    [Fact]
    public void The_best_accuracy_comes_first_and_of_equal_ones_the_lower_loss()
    {
        var result = new SweepResult([Trial(1, 0.6, 0.1, 0.9), Trial(2, 0.7, 0.1, 0.8), Trial(3, 0.7, 0.1, 0.5), new(4, Values(4), "t4", null, "it diverged")]);
        Assert.Equal([3, 2, 1], result.Ranking.Select(trial => trial.Number));
        Assert.Equal(3, result.Best!.Number);
        Assert.Equal(
            """
            trial  learning-rate  accuracy  95 % interval   loss    Kendall tau
            3      3e-5           0.7000    0.600 to 0.800  0.5000  0.4000
            2      2e-5           0.7000    0.600 to 0.800  0.8000  0.4000
            1      1e-5           0.6000    0.500 to 0.700  0.9000  0.4000
            4      4e-5           it diverged
            """.ReplaceLineEndings("\n"),
            result.ToText());
    }

    /// <summary>Against the mean of the largest of as many normal numbers, drawn 200,000 times.</summary>
    [Theory]
    [InlineData(2)]
    [InlineData(6)]
    [InlineData(20)]
    public void The_expected_optimism_is_that_of_the_best_of_equally_good_trials(int count)
    {
        const double halfWidth = 0.049;
        var result = new SweepResult([.. Enumerable.Range(1, count).Select(i => Trial(i, 0.6, halfWidth, 0.7))]);
        var random = new SplitMix64(5);
        var sum = 0.0;
        const int drawCount = 200_000;
        for (var draw = 0; draw < drawCount; draw++)
        {
            var highest = double.NegativeInfinity;
            for (var i = 0; i < count; i++)
                highest = Math.Max(highest, Normal(random));
            sum += highest;
        }
        Assert.Equal(sum / drawCount * halfWidth / 1.96, result.ExpectedOptimism, 0.02 * result.ExpectedOptimism);
    }

    [Fact]
    public void A_choice_among_trials_is_warned_of_and_so_are_trials_that_cant_be_told_apart()
    {
        var warnings = new SweepResult([Trial(1, 0.75, 0.1, 0.9), Trial(2, 0.7, 0.1, 0.8), Trial(3, 0.5, 0.1, 0.5)]).Warnings;
        Assert.Equal(2, warnings.Count);
        Assert.Contains("chosen one of 3 trials", warnings[0]);
        Assert.Contains("evaluate --model t1", warnings[0]);
        Assert.StartsWith("1 other trial lies within", warnings[1]);
        Assert.Single(new SweepResult([Trial(1, 0.9, 0.05, 0.9), Trial(2, 0.7, 0.1, 0.8)]).Warnings);
        Assert.Empty(new SweepResult([Trial(1, 0.9, 0.05, 0.9)]).Warnings);
        Assert.Empty(new SweepResult([]).Warnings);
        Assert.Null(new SweepResult([]).Best);
        Assert.Equal(0, new SweepResult([Trial(1, 0.9, 0.05, 0.9)]).ExpectedOptimism);
    }

    private static double Normal(SplitMix64 random)
    {
        // Box and Muller.
        var (first, second) = ((random.NextBelow(1 << 30) + 1) / (double)(1 << 30), random.NextBelow(1 << 30) / (double)(1 << 30));
        return Math.Sqrt(-2 * Math.Log(first)) * Math.Cos(2 * Math.PI * second);
    }

    private static Dictionary<string, string> Values(int number) => new() { ["learning-rate"] = $"{number}e-5" };

    private static SweepTrial Trial(int number, double accuracy, double halfWidth, double loss) => new(
        number, Values(number), $"t{number}",
        RankingMetrics.Of([[1f, 0f]], [[1.0, 0.0]]) with
        {
            Accuracy = accuracy,
            AccuracyLow = accuracy - halfWidth,
            AccuracyHigh = accuracy + halfWidth,
            Loss = loss,
            KendallTau = 0.4,
        },
        Failure: null);
}
