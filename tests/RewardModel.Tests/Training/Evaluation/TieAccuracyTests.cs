using RewardModel.Training.Evaluation;
using static RewardModel.Tests.Training.Evaluation.SomeScoredLists;

namespace RewardModel.Tests.Training.Evaluation;

public class TieAccuracyTests
{
    [Theory]
    [InlineData(10)]
    [InlineData(11)]
    [InlineData(12)]
    public void No_threshold_puts_more_pairs_right(int seed)
    {
        var lists = Random(60, seed);
        var found = Found(lists)!;
        var pairs =
            (from list in lists
             from i in Enumerable.Range(0, list.Rewards.Count)
             from j in Enumerable.Range(0, i)
             where list.Ranking.EqualAnswers is not { } equal || equal[i] != equal[j]
             select (Score: Math.Sign(list.Ranking.Scores[i] - list.Ranking.Scores[j]), Reward: (double)list.Rewards[i] - list.Rewards[j]))
            .ToArray();
        var ordered = pairs.Where(pair => pair.Score != 0).ToArray();
        Assert.Equal(
            (ordered.Count(pair => pair.Reward == 0), pairs.Length - ordered.Length),
            ((int)found.EqualRewardPairCount, (int)found.TiedPairCount));
        Assert.Equal((double)ordered.Count(pair => Math.Sign(pair.Reward) == pair.Score) / ordered.Length, found.AccuracyTiesWrong, 1e-12);

        double ShareOf(double threshold) => pairs.Average(
            pair => pair.Score == (Math.Abs(pair.Reward) <= threshold ? 0 : Math.Sign(pair.Reward)) ? 1.0 : 0);
        Assert.Equal(ShareOf(found.Threshold), found.ThreeWayAccuracy, 1e-12);
        var grid = Enumerable.Range(0, 20_000).Select(step => step / 1000.0).ToArray();
        Assert.Equal(grid.Max(ShareOf), found.ThreeWayAccuracy, 1e-12);
        Assert.DoesNotContain(
            grid.Where(threshold => threshold < found.Threshold - 1e-3), threshold => ShareOf(threshold) >= found.ThreeWayAccuracy);
    }

    [Fact]
    public void Four_pairs_by_hand()
    {
        // Tied by 0.5 and by 3, right by 1, equal rewards of different scores: a threshold of 0.5 puts two of four right.
        var found = Found([List([0.5f, 0], [1, 1]), List([3, 0], [1, 1]), List([1, 0], [1, 0]), List([2, 2], [1, 0])])!;
        Assert.Equal(new TieAccuracy(1, 0.5, 2, 0.5, 0.5), found);
    }

    [Fact]
    public void Where_nothing_is_tied_there_is_none()
    {
        Assert.Null(Found([]));
        Assert.Null(Found([List([1, 0, 3], [1, 0, 2])]));
        // Equal answers are no tie of anything.
        var equal = List([1, 1], [1, 1]);
        Assert.Null(Found([equal with { Ranking = equal.Ranking with { EqualAnswers = [0, 0] } }]));
        var tied = Found([List([1, 0], [1, 1])])!;
        Assert.Equal((double.NaN, 1, 1), (tied.AccuracyTiesWrong, tied.ThreeWayAccuracy, tied.Threshold));
    }

    [Fact]
    public void Of_equal_rewards_of_different_scores_alone_nothing_is_right() =>
        Assert.Equal(new TieAccuracy(2, 0, 0, 0, 0), Found([List([1, 1], [1, 0]), List([2, 2], [0, 1])]));

    private static TieAccuracy? Found(ScoredList[] lists) => TieAccuracy.Of(new ScoredLists(lists));
}
