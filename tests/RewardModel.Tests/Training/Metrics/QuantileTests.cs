using RewardModel.Training.Metrics;

namespace RewardModel.Tests.Training.Metrics;

public class QuantileTests
{
    /// <summary>Numbers of numpy.quantile.</summary>
    [Theory]
    [InlineData(0, 1)]
    [InlineData(0.05, 1.2)]
    [InlineData(0.25, 2)]
    [InlineData(0.5, 4)]
    [InlineData(0.9, 9.6)]
    [InlineData(1, 12)]
    public void It_is_linear_between_the_nearest_values(double share, double expected)
    {
        Assert.Equal(expected, Quantile.Of<double>([1, 2, 4, 6, 12], share), 1e-12);
        Assert.Equal(expected, Quantile.Of<float>([1, 2, 4, 6, 12], share), 1e-12);
    }

    [Fact]
    public void One_number_is_every_quantile() => Assert.Equal(7, Quantile.Of<double>([7], 0.95));
}
