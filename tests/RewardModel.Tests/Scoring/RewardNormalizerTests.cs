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

    [Theory]
    [InlineData(double.NaN, 1, "The mean of the rewards is NaN; expected a finite number.")]
    [InlineData(0, 0, "The standard deviation of the rewards is 0; expected a number above 0.")]
    [InlineData(0, -2, "The standard deviation of the rewards is -2; expected a number above 0.")]
    [InlineData(0, double.PositiveInfinity, "The standard deviation of the rewards is Infinity; expected a number above 0.")]
    public void Numbers_that_would_spoil_the_order_are_refused(double mean, double std, string message) =>
        Assert.Equal(message, Assert.Throws<ArgumentException>(() => new RewardNormalizer(mean, std)).Message);
}
