using RewardModel.Training.Planning;

namespace RewardModel.Tests.Training.Planning;

public class CheckpointIntervalTests
{
    [Fact]
    public void Youngs_and_Dalys_intervals_are_these()
    {
        // d = 50 s, M = 10,000 s: sqrt(2 d M) = 1,000, sqrt(d / 2M) = 0.05.
        var interval = new CheckpointInterval(50, 100, 10_000);
        Assert.Equal(1000, interval.Young, 1e-9);
        Assert.Equal(1000 * (1 + 0.05 / 3 + 0.0025 / 9) - 50, interval.Daly, 1e-9);
        Assert.Equal(10, new CheckpointInterval(20, 0, 10).Daly);
    }

    [Theory]
    [InlineData(1, 100_000)]
    [InlineData(50, 10_000)]
    [InlineData(300, 3600)]
    public void No_interval_costs_less_than_Dalys(double write, double mean)
    {
        var interval = new CheckpointInterval(write, 600, mean);
        var least = interval.ExpectedSeconds(1e6, interval.Daly);
        var (from, to) = (interval.Daly / 10, interval.Daly * 10);
        // Found by thirds.
        for (var i = 0; i < 200; i++)
        {
            double first = from + (to - from) / 3, second = to - (to - from) / 3;
            (from, to) = interval.ExpectedSeconds(1e6, first) < interval.ExpectedSeconds(1e6, second) ? (from, second) : (first, to);
        }
        Assert.Equal(from, interval.Daly, 0.01 * from);
        Assert.Equal(1, least / interval.ExpectedSeconds(1e6, from), 1e-4);
        Assert.True(interval.ExpectedSeconds(1e6, interval.Young) >= interval.ExpectedSeconds(1e6, from));
    }

    [Fact]
    public void Rare_failures_cost_the_writing_and_half_an_interval_each()
    {
        var interval = new CheckpointInterval(10, 30, 1e7);
        // First order: d / t, and a failure costs a restart and half of an interval.
        var expected = 1e5 * (1 + 10 / 1000.0 + (30 + 505) / 1e7);
        Assert.Equal(expected, interval.ExpectedSeconds(1e5, 1000), expected * 2e-6);
        Assert.Equal(1e5 / expected, interval.Goodput(1000), 2e-6);
    }
}
