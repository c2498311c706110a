using RewardModel.Training.Checks;

namespace RewardModel.Tests.Training.Checks;

public class BootstrapIntervalTests
{
    /// <summary>Of n prompts of a pair each, 1.96 standard errors of a share of 0.7 are 0.898 / sqrt(n).</summary>
    [Theory]
    [InlineData(100)]
    [InlineData(900)]
    [InlineData(40_000)]
    public void Its_width_is_that_of_a_binomial_share(int prompts)
    {
        var (low, high) = BootstrapInterval.Of([.. Enumerable.Range(0, prompts).Select(i => (i * 7 % 10 < 7 ? 1.0 : 0, 1L))], seed: 1);
        Assert.InRange(0.7 - low, 0.8 * 0.898 / Math.Sqrt(prompts), 1.2 * 0.898 / Math.Sqrt(prompts));
        Assert.InRange(high - 0.7, 0.8 * 0.898 / Math.Sqrt(prompts), 1.2 * 0.898 / Math.Sqrt(prompts));
    }

    [Fact]
    public void Pairs_of_one_prompt_are_drawn_together()
    {
        // 100 prompts of 50 pairs that are all right or all wrong say as much as 100 pairs.
        var (low, high) = BootstrapInterval.Of([.. Enumerable.Range(0, 100).Select(i => (i % 2 * 50.0, 50L))], seed: 1);
        Assert.InRange(high - low, 0.16, 0.23);
    }

    [Fact]
    public void One_prompt_says_nothing_of_others() => Assert.Equal((0, 1), BootstrapInterval.Of([(3, 3)], seed: 1));
}
