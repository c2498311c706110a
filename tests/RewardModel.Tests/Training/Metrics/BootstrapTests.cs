using RewardModel.Training.Data;
using RewardModel.Training.Metrics;

namespace RewardModel.Tests.Training.Metrics;

public class BootstrapTests
{
    /// <summary>
    /// Of n prompts of a pair each, 1.96 standard errors of a share of 0.7 are 0.898 / sqrt(n). More than 10,000 are grouped.
    /// </summary>
    [Theory]
    [InlineData(100)]
    [InlineData(900)]
    [InlineData(10_000)]
    [InlineData(40_000)]
    public void Its_width_is_that_of_a_binomial_share(int prompts)
    {
        var (low, high) = Bootstrap.Interval([.. Enumerable.Range(0, prompts).Select(i => (i * 7 % 10 < 7 ? 1.0 : 0, 1L))], seed: 1);
        var expected = 0.898 / Math.Sqrt(prompts);
        // A share of 100 pairs is a whole percentage.
        Assert.InRange(0.7 - low, 0.94 * expected - 0.5 / prompts, 1.06 * expected + 0.5 / prompts);
        Assert.InRange(high - 0.7, 0.94 * expected - 0.5 / prompts, 1.06 * expected + 0.5 / prompts);
    }

    /// <summary>
    /// Against the variance of a ratio of sums (Cochran, Sampling Techniques, 1977, section 2.11), for prompts of unequal sizes.
    /// </summary>
    [Theory]
    [InlineData(500)]
    [InlineData(60_000)]
    public void Its_width_is_that_of_a_ratio_of_sums(int count)
    {
        var random = new SplitMix64(3);
        (double Right, long Pairs)[] prompts = new (double, long)[count];
        for (var i = 0; i < count; i++)
        {
            var pairs = 1 + random.NextBelow(10);
            var ease = random.NextBelow(100);
            prompts[i] = (Enumerable.Range(0, pairs).Count(_ => random.NextBelow(100) < ease), pairs);
        }
        var total = prompts.Sum(prompt => prompt.Pairs);
        var share = prompts.Sum(prompt => prompt.Right) / total;
        var error = Math.Sqrt(prompts.Sum(prompt => Math.Pow(prompt.Right - share * prompt.Pairs, 2))) / total;
        var (low, high) = Bootstrap.Interval(prompts, seed: 5);
        Assert.InRange((high - low) / (2 * 1.96 * error), 0.96, 1.04);
    }

    [Fact]
    public void Pairs_of_one_prompt_are_drawn_together()
    {
        // 100 prompts of 50 pairs that are all right or all wrong say as much as 100 pairs.
        var (low, high) = Bootstrap.Interval([.. Enumerable.Range(0, 100).Select(i => (i % 2 * 50.0, 50L))], seed: 1);
        Assert.InRange(high - low, 0.18, 0.21);
    }

    [Fact]
    public void Where_samples_cannot_differ_the_interval_is_that_of_Wilson()
    {
        (double, long)[][] cases = [[(2, 3)], [.. Enumerable.Repeat((4.0, 4L), 12)], [.. Enumerable.Repeat((0.0, 1L), 7)], []];
        Assert.All(cases, prompts => Assert.Equal(AccuracyInterval.Of(prompts), Bootstrap.Interval(prompts, seed: 1)));
    }

    [Fact]
    public void A_seed_gives_the_same_interval_again_and_another_seed_nearly_the_same()
    {
        (double, long)[] prompts = [.. Enumerable.Range(0, 300).Select(i => (i % 3 * 1.0, 2L + i % 5))];
        var first = Bootstrap.Interval(prompts, seed: 1);
        Assert.Equal(first, Bootstrap.Interval(prompts, seed: 1));
        var other = Bootstrap.Interval(prompts, seed: 2);
        Assert.NotEqual(first, other);
        Assert.Equal(first.Low, other.Low, 0.005);
        Assert.Equal(first.High, other.High, 0.005);
    }

    [Fact]
    public void The_interval_has_the_true_share_in_it_19_times_out_of_20()
    {
        const int trialCount = 600;
        var random = new SplitMix64(11);
        var coveredCount = 0;
        for (var trial = 0; trial < trialCount; trial++)
        {
            // Prompts of 1 to 4 pairs, hard ones (right with 0.4) and easy ones (0.9): all in all 0.65.
            var prompts = new (double Right, long Pairs)[150];
            for (var i = 0; i < prompts.Length; i++)
            {
                var (pairs, ease) = (1 + random.NextBelow(4), random.NextBelow(2) == 0 ? 40 : 90);
                prompts[i] = (Enumerable.Range(0, pairs).Count(_ => random.NextBelow(100) < ease), pairs);
            }
            var (low, high) = Bootstrap.Interval(prompts, (ulong)trial);
            if (low <= 0.65 && 0.65 <= high)
                coveredCount++;
        }
        Assert.InRange((double)coveredCount / trialCount, 0.92, 0.98);
    }

    [Fact]
    public void The_interval_of_a_difference_has_the_true_one_in_it_19_times_out_of_20_and_finds_none_as_often()
    {
        const int trialCount = 400;
        var random = new SplitMix64(17);
        var (coveredCount, falseAlarmCount) = (0, 0);
        for (var trial = 0; trial < trialCount; trial++)
        {
            // Both are right on the same half of the prompts; on the others one with 0.6 and one with 0.4, or both with 0.5.
            (double, double, long)[] Draw(int first, int second) =>
            [
                .. Enumerable.Range(0, 150).Select(i => i % 2 == 0
                    ? (1.0, 1.0, 1L)
                    : (random.NextBelow(100) < first ? 1.0 : 0, random.NextBelow(100) < second ? 1.0 : 0, 1L)),
            ];
            var difference = Bootstrap.Difference(Draw(60, 40), (ulong)trial);
            if (difference.Low <= 0.1 && 0.1 <= difference.High)
                coveredCount++;
            if (Bootstrap.Difference(Draw(50, 50), (ulong)trial).Probability < 0.05)
                falseAlarmCount++;
        }
        Assert.InRange((double)coveredCount / trialCount, 0.92, 0.98);
        Assert.InRange((double)falseAlarmCount / trialCount, 0.02, 0.08);
    }

    [Fact]
    public void A_difference_on_the_same_prompts_is_narrower_than_the_intervals_of_both()
    {
        // Both are right on 60 % of the prompts, the first on another 10 %: the standard error of the difference is sqrt(0.1 * 0.9 / 400).
        (double Right, double Other, long Pairs)[] prompts =
            [.. Enumerable.Range(0, 400).Select(i => (i % 10 < 7 ? 1.0 : 0, i % 10 < 6 ? 1.0 : 0, 1L))];
        var difference = Bootstrap.Difference(prompts, seed: 1);
        Assert.Equal(0.1, difference.Difference, 1e-12);
        Assert.InRange((difference.High - difference.Low) / (2 * 1.96 * Math.Sqrt(0.09 / 400)), 0.95, 1.05);
        Assert.Equal(2.0 / 10_001, difference.Probability, 1e-12);
        var (low, high) = Bootstrap.Interval([.. prompts.Select(prompt => (prompt.Right, prompt.Pairs))], seed: 1);
        Assert.True(high - low > 1.4 * (difference.High - difference.Low));
    }

    [Fact]
    public void The_p_value_counts_the_samples_beyond_0()
    {
        // 12 of 20 prompts differ, 9 for the first: a sample's difference is 0 or less about as often as of a normal distribution.
        var difference = Bootstrap.Difference(
            [.. Enumerable.Range(0, 20).Select(i => (i < 9 ? 1.0 : 0, i is >= 9 and < 12 ? 1.0 : 0, 1L))], seed: 1);
        // The sum of 20 draws of 1 (9/20), -1 (3/20) or 0 (8/20), by the exact distribution.
        var distribution = new Dictionary<int, double> { [0] = 1 };
        for (var draw = 0; draw < 20; draw++)
            distribution = distribution
                .SelectMany(sum => new[] { (sum.Key + 1, sum.Value * 9 / 20), (sum.Key - 1, sum.Value * 3 / 20), (sum.Key, sum.Value * 8 / 20) })
                .GroupBy(pair => pair.Item1, pair => pair.Item2).ToDictionary(group => group.Key, group => group.Sum());
        Assert.Equal(2 * distribution.Where(sum => sum.Key <= 0).Sum(sum => sum.Value), difference.Probability, 0.01);
    }

    [Fact]
    public void Of_differences_without_spread_both_intervals_are_combined_and_signs_are_counted()
    {
        // 10 of 10 against 0 of 10: the interval of Wilson of 10 of 10 is 0.7225 to 1.
        var all = Bootstrap.Difference([.. Enumerable.Repeat((1.0, 0.0, 1L), 10)], seed: 1);
        Assert.Equal(1, all.Difference);
        Assert.Equal(1 - Math.Sqrt(2) * 0.2775, all.Low, 1e-4);
        Assert.Equal(1, all.High);
        Assert.Equal(Math.Pow(0.5, 9), all.Probability);

        var none = Bootstrap.Difference([.. Enumerable.Range(0, 10).Select(_ => (1.0, 1.0, 1L))], seed: 1);
        Assert.Equal((0, 1), (none.Difference, none.Probability));
        Assert.Equal(-0.2775, none.Low, 1e-4);
        Assert.Equal(0.2775, none.High, 1e-4);

        // One prompt says nothing, however many pairs it has.
        var one = Bootstrap.Difference([(30, 10, 30)], seed: 1);
        Assert.Equal((2.0 / 3, 1), (one.Difference, one.Probability));
        Assert.True(one.Low < 0);
        Assert.Equal(double.NaN, Bootstrap.Difference([], seed: 1).Difference);
    }
}
