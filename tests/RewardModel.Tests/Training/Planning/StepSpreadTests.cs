using RewardModel.Training.Planning;

namespace RewardModel.Tests.Training.Planning;

public class StepSpreadTests
{
    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 0.5641895835)]
    [InlineData(3, 0.8462843753)]
    [InlineData(10, 1.5387527308)]
    [InlineData(100, 2.5075936)]
    [InlineData(1000, 3.2414360)]
    public void The_largest_of_normal_numbers_is_that_of_tables(int count, double expected) =>
        Assert.Equal(1 + 0.1 * expected, new StepSpread(SpreadKind.Normal, 0.1).ExpectedLargest(count), 1e-6);

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 1.5)]
    [InlineData(4, 25 / 12.0)]
    public void The_largest_of_exponential_numbers_is_a_harmonic_sum(int count, double harmonic) =>
        Assert.Equal(0.7 + 0.3 * harmonic, new StepSpread(SpreadKind.Exponential, 0.3).ExpectedLargest(count), 1e-12);

    [Theory]
    [InlineData(nameof(SpreadKind.Normal))]
    [InlineData(nameof(SpreadKind.Exponential))]
    public void Draws_have_the_mean_the_deviation_and_the_largest_that_are_expected(string kind)
    {
        const int groups = 20_000, size = 16;
        var spread = new StepSpread(Enum.Parse<SpreadKind>(kind), 0.2);
        var random = new RandomNumbers(7);
        double sum = 0, squares = 0, largest = 0;
        for (var group = 0; group < groups; group++)
        {
            var most = 0.0;
            for (var i = 0; i < size; i++)
            {
                var draw = spread.Draw(random);
                (sum, squares, most) = (sum + draw, squares + draw * draw, Math.Max(most, draw));
            }
            largest += most;
        }
        var mean = sum / (groups * size);
        // Within five standard errors.
        Assert.Equal(1, mean, 5 * 0.2 / Math.Sqrt(groups * size));
        Assert.Equal(0.2, Math.Sqrt(squares / (groups * size) - mean * mean), 0.003);
        Assert.Equal(spread.ExpectedLargest(size), largest / groups, 5 * 0.25 / Math.Sqrt(groups));
    }
}
