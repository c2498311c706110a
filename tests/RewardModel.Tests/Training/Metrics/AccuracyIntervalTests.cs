using RewardModel.Ranking;
using RewardModel.Training.Metrics;

namespace RewardModel.Tests.Training.Metrics;

public class AccuracyIntervalTests
{
    [Fact]
    public void Prompts_of_one_pair_give_the_interval_of_Wilson()
    {
        // 81 of 263 and 10 of 10: the examples of Newcombe, Statistics in Medicine 17 (1998), table I.
        AssertInterval(0.2553, 0.3662, [.. Enumerable.Repeat((1.0, 1L), 81), .. Enumerable.Repeat((0.0, 1L), 182)], 1e-3);
        AssertInterval(0.7225, 1, [.. Enumerable.Repeat((1.0, 1L), 10)], 1e-3);
    }

    [Fact]
    public void Pairs_of_a_prompt_that_are_right_or_wrong_together_count_once()
    {
        (double, long)[] together = [.. Enumerable.Range(0, 50).Select(i => (i % 2 == 0 ? 10.0 : 0, 10L))];
        (double, long)[] apart = [.. Enumerable.Range(0, 50).Select(i => (i % 2 == 0 ? 6.0 : 4, 10L))];
        (double, long)[] once = [.. Enumerable.Range(0, 50).Select(i => (i % 2 == 0 ? 1.0 : 0, 1L))];
        var (low, high) = AccuracyInterval.Of(together);
        var (lowOnce, highOnce) = AccuracyInterval.Of(once);
        Assert.Equal((lowOnce, highOnce), (low, high));
        var (lowApart, highApart) = AccuracyInterval.Of(apart);
        Assert.True(highApart - lowApart < (high - low) / 3);
        Assert.True(lowApart < 0.5 && highApart > 0.5);
    }

    [Fact]
    public void One_prompt_says_next_to_nothing() => AssertInterval(0.2065, 1, [(36, 36)], 1e-3);

    [Fact]
    public void Without_prompts_there_is_none() => Assert.Equal((double.NaN, double.NaN), AccuracyInterval.Of([]));

    [Fact]
    public void Lists_with_one_prompt_belong_together_unless_all_have_it()
    {
        RankingMetrics Of(params int[][] prompts)
        {
            var metrics = new RankingMetricsAccumulator(RankingLoss.ByName("log-sigmoid"));
            foreach (var prompt in prompts)
                metrics.Add([1, 0], new([1, 0]), promptIds: prompt);
            return metrics.Result;
        }
        Assert.Equal(2, Of([1, 2], [1, 2], [1], [1]).PromptCount);
        Assert.Equal(3, Of([7], [7], [7]).PromptCount);
        Assert.Equal(0, new RankingMetricsAccumulator(RankingLoss.ByName("log-sigmoid")).Result.PromptCount);
    }

    private static void AssertInterval(double low, double high, (double, long)[] prompts, double tolerance)
    {
        var found = AccuracyInterval.Of(prompts);
        Assert.Equal(low, found.Low, tolerance);
        Assert.Equal(high, found.High, tolerance);
    }
}
