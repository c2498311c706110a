using RewardModel.Training.Records;

namespace RewardModel.Tests.Training.Records;

public class AxisTests
{
    [Theory]
    [InlineData(0.31, 0.97, "0.2 0.4 0.6 0.8 1.0")]
    [InlineData(0, 1, "0 0.2 0.4 0.6 0.8 1.0")]
    [InlineData(-4.1, 7.9, "−5 0 5 10")]
    [InlineData(0, 9e-6, "0 2e-6 4e-6 6e-6 8e-6 1e-5")]
    [InlineData(38_000, 44_100, "38k 40k 42k 44k 46k")]
    [InlineData(0, 4210, "0 1000 2000 3000 4000 5000")]
    [InlineData(0, 3_400_000, "0 1M 2M 3M 4M")]
    [InlineData(2, 2, "1.8 1.9 2.0 2.1 2.2")]
    [InlineData(0, 0, "−1.0 −0.5 0 0.5 1.0")]
    [InlineData(0.0011, 0.0052, "0.001 0.002 0.003 0.004 0.005 0.006")]
    public void It_covers_numbers_with_round_ones(double low, double high, string ticks)
    {
        var axis = Axis.Covering(low, high);
        Assert.Equal(ticks, string.Join(' ', axis.Ticks.Select(axis.Label)));
        Assert.Equal((axis.Ticks[0], axis.Ticks[^1]), (axis.Low, axis.High));
        Assert.InRange(low, axis.Low, axis.High);
        Assert.InRange(high, axis.Low, axis.High);
    }

    [Theory]
    [InlineData(0, 1200, "0 500 1000")]
    [InlineData(1, 1_000_000, "200k 400k 600k 800k 1M")]
    [InlineData(52, 152, "60 80 100 120 140")]
    public void An_exact_one_has_the_round_numbers_between_its_ends(double low, double high, string ticks)
    {
        var axis = Axis.Between(low, high);
        Assert.Equal(ticks, string.Join(' ', axis.Ticks.Select(axis.Label)));
        Assert.Equal((low, high), (axis.Low, axis.High));
    }

    [Theory]
    [InlineData(0.4, 163, "1 10 100")]
    [InlineData(2.4, 163, "5 10 20 50 100")]
    [InlineData(2e-5, 0.3, "1e-4 0.001 0.01 0.1")]
    public void A_logarithmic_one_has_powers_of_10_or_more(double low, double high, string ticks)
    {
        var axis = Axis.Covering(low, high, isLogarithmic: true);
        Assert.Equal(ticks, string.Join(' ', axis.Ticks.Select(axis.Label)));
        Assert.Equal(0.5, axis.PlaceOf(Math.Sqrt(low * high)), 1e-12);
    }

    [Fact]
    public void Shares_are_named_as_per_cent_and_their_differences_as_points()
    {
        var shares = Axis.Covering(0.61, 0.78, AxisUnit.Percent);
        Assert.Equal(["60 %", "65 %", "70 %", "75 %", "80 %"], shares.Ticks.Select(shares.Label));
        var all = Axis.Covering(1, 1, AxisUnit.Percent);
        Assert.Equal(1, all.High);
        var points = Axis.Covering(-0.013, 0.022, AxisUnit.Points);
        Assert.Equal(["−2", "−1", "0", "+1", "+2", "+3"], points.Ticks.Select(points.Label));
    }

    [Fact]
    public void Places_go_from_0_to_1()
    {
        var axis = Axis.Covering(0, 10);
        Assert.Equal([0, 0.25, 1], new[] { 0, 2.5, 10 }.Select(axis.PlaceOf));
    }
}
