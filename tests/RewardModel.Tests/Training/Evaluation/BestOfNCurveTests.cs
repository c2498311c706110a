using System.Numerics;
using RewardModel.Training.Evaluation;
using static RewardModel.Tests.Training.Evaluation.SomeScoredLists;

namespace RewardModel.Tests.Training.Evaluation;

public class BestOfNCurveTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Every_figure_is_the_mean_over_all_sets_of_answers(bool areOrder)
    {
        ScoredList[] lists = [.. Random(80, seed: 7, most: 7).Select(list => list with { ScoresAreOrder = areOrder })];
        var curve = BestOfNCurve.Of(lists)!;
        var withPairs = lists.Where(list => PairsOf([list]).Any()).ToArray();
        // The largest n that ten lists have.
        var largest = Enumerable.Range(1, 7).Last(n => withPairs.Count(list => list.Rewards.Count >= n) >= 10);
        var used = withPairs.Where(list => list.Rewards.Count >= largest).ToArray();
        Assert.Equal((areOrder, used.Length), (curve.IsOfRanks, curve.ListCount));
        Assert.Equal(new[] { 1, 2, 4, largest }.Distinct(), curve.Points.Select(point => point.N));
        Assert.All(curve.Points, point =>
        {
            var sets = used.Select(list => (list, Sets: Subsets(list.Rewards.Count).Where(set => set.Length == point.N).ToArray())).ToArray();
            double ScoreOf(ScoredList list, int i) => !areOrder ? list.Ranking.Scores[i]
                : Enumerable.Range(0, list.Rewards.Count).Where(j => j != i).Average(
                    j => (Math.Sign(list.Ranking.Scores[i] - list.Ranking.Scores[j]) + 1) / 2.0);
            double MeanOf(Func<ScoredList, int[], double> valueOf) => sets.Average(pair => pair.Sets.Average(set => valueOf(pair.list, set)));
            Assert.Equal(MeanOf((list, set) => set.Average(i => ScoreOf(list, i))), point.Random, 1e-12);
            Assert.Equal(MeanOf((list, set) => set.Max(i => ScoreOf(list, i))), point.Best, 1e-12);
            Assert.Equal(
                MeanOf((list, set) => set.Where(i => list.Rewards[i] == set.Max(j => list.Rewards[j])).Average(i => ScoreOf(list, i))),
                point.Chosen, 1e-12);
            Assert.Equal(point.Best - point.Chosen, point.Regret);
        });
    }

    [Fact]
    public void Of_one_answer_nothing_is_lost()
    {
        // Sums of these in another order differ in their last digit.
        var point = BestOfNCurve.Of([List([3, 1, 2], [0.1, 0.2, 0.3]), List([1, 2, 3, 4], [0.7, 0.1, 0.6, 0.2])])!.Points[0];
        Assert.Equal((point.Random, point.Random, 0.0), (point.Chosen, point.Best, point.Regret));
    }

    [Fact]
    public void Of_hundreds_of_answers_the_numbers_stay_exact()
    {
        const int count = 500;
        // The reward is the score's opposite: the choice among n is the lowest of n.
        var curve = BestOfNCurve.Of(
            [List([.. Enumerable.Range(0, count).Select(i => (float)-i)], [.. Enumerable.Range(0, count).Select(i => (double)i)])])!;
        Assert.Equal([1, 2, 4, 8, 16, 32, 64, 128, 256, 500], curve.Points.Select(point => point.N));
        Assert.All(curve.Points, point =>
        {
            // The mean of the lowest of n of the numbers 0 to 499 is (501 / (n + 1)) - 1, that of the highest 499 less that.
            var lowest = (count + 1.0) / (point.N + 1) - 1;
            Assert.Equal(lowest, point.Chosen, 1e-9);
            Assert.Equal(count - 1 - lowest, point.Best, 1e-9);
            Assert.Equal((count - 1) / 2.0, point.Random, 1e-9);
        });
        // And by whole numbers: of 256 of 500 sets the share whose highest is the value of place 400.
        Assert.Equal(
            499 - 501.0 / 257 + 1,
            Enumerable.Range(256, 245).Sum(place => (place - 1) * Ratio(Choose(place - 1, 255), Choose(500, 256))), 1e-9);
    }

    [Fact]
    public void The_largest_n_is_one_that_enough_lists_have()
    {
        ScoredList OfCount(int count) => List(
            [.. Enumerable.Range(0, count).Select(i => (float)i)], [.. Enumerable.Range(0, count).Select(i => (double)i)]);
        int LargestOf(int pairCount, int fourCount) => BestOfNCurve.Of(
            [.. Enumerable.Range(0, pairCount).Select(_ => OfCount(2)), .. Enumerable.Range(0, fourCount).Select(_ => OfCount(4))])!.Points[^1].N;
        Assert.Equal(2, LargestOf(30, 9));
        Assert.Equal(4, LargestOf(30, 10));
        Assert.Equal(2, LargestOf(180, 19));
        Assert.Equal(4, LargestOf(180, 20));
        Assert.Equal(2, LargestOf(1, 5));
        Assert.Equal(4, LargestOf(0, 5));
    }

    [Fact]
    public void Without_pairs_there_is_none()
    {
        Assert.Null(BestOfNCurve.Of([]));
        Assert.Null(BestOfNCurve.Of([List([1], [1]), List([1, 2], [3, 3])]));
    }

    private static IEnumerable<int[]> Subsets(int count) => Enumerable.Range(0, 1 << count).Select(
        bits => Enumerable.Range(0, count).Where(i => (bits >> i & 1) == 1).ToArray());

    private static BigInteger Choose(int n, int k) =>
        Enumerable.Range(1, k).Aggregate(BigInteger.One, (product, i) => product * (n - k + i) / i);

    private static double Ratio(BigInteger numerator, BigInteger denominator) =>
        (double)(numerator * BigInteger.Pow(10, 30) / denominator) / 1e30;
}
