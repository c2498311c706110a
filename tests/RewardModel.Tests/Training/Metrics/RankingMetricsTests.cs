using RewardModel.Ranking;
using RewardModel.Training.Metrics;

namespace RewardModel.Tests.Training.Metrics;

public class RankingMetricsTests
{
    private static readonly float[][] rewards = [[1, 0, 2], [-1, 2]];
    private static readonly double[][] scores = [[2, 1, 0], [0, 1]];

    [Theory]
    [InlineData(null, "log-sigmoid")]
    [InlineData("sigmoid", "sigmoid")]
    public void The_metrics_of_scored_lists_are_those_that_are_added_up(string? given, string loss)
    {
        var expected = new RankingMetricsAccumulator(RankingLoss.ByName(loss));
        expected.Add(rewards[0], new(scores[0]));
        expected.Add(rewards[1], new(scores[1]));
        Assert.Equal(expected.Result, RankingMetrics.Of(rewards, scores, given is null ? null : RankingLoss.ByName(given)));
    }

    [Fact]
    public void Another_number_of_lists_is_an_error() => Assert.Equal(
        "There are rewards of 2 lists and scores of 1; expected as many of both. (Parameter 'scores')",
        Assert.Throws<ArgumentException>(() => RankingMetrics.Of(rewards, scores[..1])).Message);
}
