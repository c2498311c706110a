using RewardModel.Kernels;
using static TorchSharp.torch;

namespace RewardModel.Tests.Kernels;

public class FiniteNumbersTests
{
    // Within a vector, in what is left behind whole ones, and beyond the first part; in every type, and where numbers don't lie side by side.
    [Theory]
    [InlineData(ScalarType.Float32, 1)]
    [InlineData(ScalarType.BFloat16, 1)]
    [InlineData(ScalarType.Float32, 83)]
    [InlineData(ScalarType.BFloat16, 83)]
    [InlineData(ScalarType.Float16, 83)]
    [InlineData(ScalarType.Float64, 83)]
    [InlineData(ScalarType.Float32, 600_001)]
    [InlineData(ScalarType.BFloat16, 600_001)]
    public void One_number_that_is_not_finite_is_found_wherever_it_is(ScalarType type, int count)
    {
        using var scope = NewDisposeScope();
        var numbers = full(count, -3e4, type);
        Assert.True(FiniteNumbers.AreIn(numbers));
        foreach (var place in new[] { 0, count / 2, count - 1 })
            foreach (var value in new[] { double.NaN, double.PositiveInfinity, double.NegativeInfinity })
            {
                var damaged = numbers.clone();
                damaged[place] = value;
                Assert.False(FiniteNumbers.AreIn(damaged));
                Assert.False(FiniteNumbers.AreIn(damaged.expand(2, count).t()));
                Assert.Equal(1, FiniteNumbers.CountOfOthersIn(damaged));
            }
    }

    [Theory]
    [InlineData(ScalarType.Float32, 3.4028234663852886e38)]
    [InlineData(ScalarType.BFloat16, 3.3895313892515355e38)]
    [InlineData(ScalarType.Float32, 1e-45)]
    public void The_largest_and_the_smallest_numbers_are_finite_though_their_sum_is_not(ScalarType type, double value)
    {
        using var numbers = full(100, value, type);
        Assert.True(FiniteNumbers.AreIn(numbers));
        using var none = empty(0, type);
        Assert.True(FiniteNumbers.AreIn(none));
    }
}
