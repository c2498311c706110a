using RewardModel.Ranking;
using static TorchSharp.torch;

namespace RewardModel.Tests.Ranking;

public class RankingPairsTests
{
    [Fact]
    public void Ties_make_no_pair_and_weights_add_up_to_one_for_each_list()
    {
        using var pairs = RankingPairs.Of([[2.0, 2.0, 1.0], [0.0, 5.0]]);
        Assert.Equal([0, 1, 4], Values<long>(pairs.Better));
        Assert.Equal([2, 2, 3], Values<long>(pairs.Worse));
        Assert.Equal([0.5f, 0.5f, 1f], Values<float>(pairs.Weights));
        Assert.Equal(3, pairs.Count);
    }

    [Fact]
    public void Per_pair_all_weights_are_one()
    {
        using var pairs = RankingPairs.Of([[2.0, 1.0, 0.0], [5.0, 0.0]], LossNormalization.PerPair);
        Assert.Equal([1f, 1f, 1f, 1f], Values<float>(pairs.Weights));
    }

    [Theory]
    [InlineData(new double[] { 1 }, 0)]
    [InlineData(new double[] { 1, 1 }, 0)]
    [InlineData(new double[] { 3, 1, 1 }, 2)]
    [InlineData(new double[] { 9, 8, 7, 6, 5, 4, 3, 2, 1 }, 36)]
    public void Count_is_that_of_the_pairs_made(double[] scores, int expected)
    {
        Assert.Equal(expected, RankingPairs.CountOf(scores));
        using var pairs = RankingPairs.Of([scores]);
        Assert.Equal(expected, pairs.Count);
    }

    [Fact]
    public void Disposed_of_they_say_so()
    {
        var pairs = RankingPairs.Of([[1.0, 0.0]]);
        pairs.Dispose();
        pairs.Dispose();
        using var rewards = zeros(2);
        Assert.All(
            [() => pairs.Better, () => pairs.Worse, () => pairs.Weights, (Func<object>)(() => new LogSigmoidLoss().Sum(rewards, pairs))],
            use => Assert.Equal(typeof(RankingPairs).FullName, Assert.Throws<ObjectDisposedException>(use).ObjectName));
    }

    [Fact]
    public void Equal_answers_make_no_pair_whatever_their_scores_are()
    {
        IReadOnlyList<double>[] scores = [[3, 2, 1, 0], [1, 0], [1, 0]];
        IReadOnlyList<int>?[] equalAnswers = [[0, 1, 0, 3], null, [0, 0]];
        using var pairs = RankingPairs.Of(scores, equalAnswers: equalAnswers);
        Assert.Equal([0, 0, 1, 1, 2, 4], Values<long>(pairs.Better));
        Assert.Equal([1, 3, 2, 3, 3, 5], Values<long>(pairs.Worse));
        Assert.Equal([0.2f, 0.2f, 0.2f, 0.2f, 0.2f, 1f], Values<float>(pairs.Weights));
        Assert.Equal([5, 1, 0], scores.Zip(equalAnswers, RankingPairs.CountOf));
    }

    private static T[] Values<T>(Tensor tensor) where T : unmanaged
    {
        using var accessor = tensor.data<T>();
        return accessor.ToArray();
    }
}
