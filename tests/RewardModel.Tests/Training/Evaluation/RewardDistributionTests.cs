using RewardModel.Training.Evaluation;
using static RewardModel.Tests.Training.Evaluation.SomeScoredLists;

namespace RewardModel.Tests.Training.Evaluation;

public class RewardDistributionTests
{
    [Fact]
    public void Five_answers_by_hand()
    {
        // Rewards 1, 3 and 2, 6, 10; variances 1 and (16 + 0 + 16) / 3.
        var found = RewardDistribution.Of(new ScoredLists([List([3, 1], [1, 0]), List([2, 6, 10], [0, 1, 1]), List([4], [1])]))!;
        // Sorted: 1, 2, 3, 4, 6, 10.
        Assert.Equal((2.25, 3.5, 5.5), (found.Quantile25, found.Median, found.Quantile75));
        Assert.Equal((1.25, 9), (found.Quantile05, found.Quantile95));
        Assert.Equal(Math.Sqrt((1 + 32.0 / 3) / 2), found.WithinListDeviation, 1e-12);
        Assert.Equal(3, found.Differences.Sum(bin => bin.Count));
        Assert.Equal(3, found.Differences.Where(bin => bin.Low >= 0).Sum(bin => bin.Count));
    }

    [Theory]
    [InlineData(14, 5)]
    [InlineData(15, 300)]
    [InlineData(16, 3000)]
    public void Bins_meet_and_count_what_lies_in_them(int seed, int count)
    {
        var lists = Random(count, seed);
        var found = RewardDistribution.Of(new ScoredLists(lists))!;
        AssertBins(found.Rewards, [.. lists.SelectMany(list => list.Rewards).Select(reward => (double)reward)]);
        double[] differences = [.. PairsOf(lists).Select(pair => pair.Difference)];
        AssertBins(found.Differences, differences);
        Assert.Contains(found.Differences, bin => bin.Low == 0);
        Assert.Equal(differences.Count(difference => difference < 0), found.Differences.Where(bin => bin.High <= 0).Sum(bin => bin.Count));
    }

    [Fact]
    public void A_normal_distribution_has_as_many_bins_as_Freedman_and_Diaconis_say()
    {
        // 1,000 quantiles of it: the interquartile range is 1.349, a bin 0.27 wide, and 6.58 from end to end.
        double[] numbers = [.. Enumerable.Range(0, 1000).Select(i => NormalQuantile((i + 0.5) / 1000))];
        var bins = Histogram.Of(numbers);
        Assert.Equal(25, bins.Length);
        Assert.InRange(bins.Max(bin => bin.Count), 95, 110);
    }

    [Theory]
    [InlineData(1, 2, 3)]
    [InlineData(-1, -2, -3)]
    [InlineData(0, 0, 0)]
    [InlineData(0.1, 0.1, 0.1)]
    [InlineData(-0.3, 0, 0.7)]
    [InlineData(-1e-30, 1e30, 1)]
    public void One_bin_of_differences_begins_at_0(double first, double second, double third)
    {
        double[] sorted = [.. new[] { first, second, third }.Order()];
        var bins = Histogram.OfDifferences(sorted);
        AssertBins(bins, sorted);
        Assert.Single(bins, bin => bin.Low == 0);
        Assert.Equal(sorted.Count(number => number < 0), bins.Where(bin => bin.Low < 0).Sum(bin => bin.Count));
    }

    [Fact]
    public void Without_answers_there_is_none_and_equal_rewards_have_one_bin()
    {
        Assert.Null(RewardDistribution.Of(new ScoredLists([])));
        var single = RewardDistribution.Of(new ScoredLists([List([2], [1])]))!;
        Assert.Equal(new HistogramBin(2, 2, 1), Assert.Single(single.Rewards));
        Assert.Empty(single.Differences);
        Assert.Equal((2, double.NaN), (single.Median, single.WithinListDeviation));
        var flat = RewardDistribution.Of(new ScoredLists([List([2, 2], [1, 0])]))!;
        Assert.Equal(new HistogramBin(0, 0, 1), Assert.Single(flat.Differences));
        Assert.Equal(0, flat.WithinListDeviation);
    }

    private static void AssertBins(IReadOnlyList<HistogramBin> bins, double[] numbers)
    {
        Assert.InRange(bins.Count, 1, 60);
        Assert.True(bins[0].Low <= numbers.Min() && numbers.Max() <= bins[^1].High);
        Assert.All(bins.Zip(bins.Skip(1)), pair => Assert.Equal(pair.First.High, pair.Second.Low));
        for (var i = 0; i < bins.Count; i++)
            Assert.Equal(
                numbers.LongCount(number => number >= bins[i].Low && (number < bins[i].High || i == bins.Count - 1)), bins[i].Count);
    }

    /// <summary>By bisection of the distribution function, an integral by Simpson's rule.</summary>
    private static double NormalQuantile(double share)
    {
        static double Distribution(double x) => 0.5 + x / 600 * Enumerable.Range(0, 201).Sum(
            i => (i is 0 or 200 ? 1 : i % 2 == 1 ? 4 : 2) * Math.Exp(-Math.Pow(x * i / 200, 2) / 2)) / Math.Sqrt(2 * Math.PI);
        var (low, high) = (-6.0, 6.0);
        while (high - low > 1e-9)
            (low, high) = Distribution((low + high) / 2) < share ? ((low + high) / 2, high) : (low, (low + high) / 2);
        return low;
    }
}
