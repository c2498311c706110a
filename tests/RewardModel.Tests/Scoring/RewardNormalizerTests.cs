using RewardModel.Scoring;

namespace RewardModel.Tests.Scoring;

public class RewardNormalizerTests
{
    [Fact]
    public void The_mean_is_subtracted_before_the_division() => Assert.Equal(-1.5f, new RewardNormalizer(5, 2).Apply(2));

    [Theory]
    [InlineData(0f)]
    [InlineData(-0.1f)]
    [InlineData(3e38f)]
    [InlineData(1e-45f)]
    public void None_keeps_every_bit(float reward) => Assert.Equal(reward, RewardNormalizer.None.Apply(reward));

    [Fact]
    public void Centred_rewards_have_mean_0_and_their_old_differences()
    {
        float[] rewards = [1e6f + 1, 1e6f + 2, 1e6f + 6];
        var normalizer = RewardNormalizer.Centering(rewards);
        Assert.Equal(new RewardNormalizer(1e6 + 3, 1), normalizer);
        Assert.Equal([-2f, -1f, 3f], rewards.Select(normalizer.Apply));
    }

    [Fact]
    public void Standardised_rewards_have_mean_0_and_the_population_s_standard_deviation_1()
    {
        // Far from 0, where a sum of squares in float32 would see nothing.
        float[] rewards = [1e6f + 1, 1e6f + 2, 1e6f + 6];
        Assert.Equal(new RewardNormalizer(1e6 + 3, Math.Sqrt((4.0 + 1 + 9) / 3)), RewardNormalizer.Standardizing(rewards));
    }

    [Fact]
    public void Rewards_that_give_no_scale_are_refused()
    {
        Assert.Equal(
            "There are no rewards to normalise by; expected at least one. (Parameter 'rewards')",
            Assert.Throws<ArgumentException>(() => RewardNormalizer.Centering([])).Message);
        Assert.Equal(
            "1 of 2 rewards are not finite; expected finite numbers: the model has diverged or its weights are damaged. (Parameter 'rewards')",
            Assert.Throws<ArgumentException>(() => RewardNormalizer.Standardizing([1, float.NaN])).Message);
        Assert.Equal(
            "All 2 rewards are 0.5, so that they have no standard deviation to divide by; expected answers with different rewards. "
            + "(Parameter 'rewards')",
            Assert.Throws<ArgumentException>(() => RewardNormalizer.Standardizing([0.5f, 0.5f])).Message);
        Assert.Equal(new RewardNormalizer(0.5, 1), RewardNormalizer.Centering([0.5f]));
    }

    [Theory]
    [InlineData(double.NaN, 1, "The mean of the rewards is NaN; expected a finite number, from -1E+30 to 1E+30.")]
    [InlineData(0, 0, "The standard deviation of the rewards is 0; expected a number above 0, from 1E-30 to 1E+30.")]
    [InlineData(1e300, 1, "The mean of the rewards is 1E+300; expected a finite number, from -1E+30 to 1E+30.")]
    [InlineData(0, 1e-320, "The standard deviation of the rewards is 1E-320; expected a number above 0, from 1E-30 to 1E+30.")]
    [InlineData(0, -2, "The standard deviation of the rewards is -2; expected a number above 0, from 1E-30 to 1E+30.")]
    [InlineData(0, double.PositiveInfinity, "The standard deviation of the rewards is Infinity; expected a number above 0, from 1E-30 to 1E+30.")]
    public void Numbers_that_would_spoil_the_order_are_refused(double mean, double std, string message) =>
        Assert.Equal(message, Assert.Throws<ArgumentException>(() => new RewardNormalizer(mean, std)).Message);
}
