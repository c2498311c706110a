using RewardModel.Training.Optimization;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace RewardModel.Tests.Training.Optimization;

public class SquaredNormTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_sum_of_squares_does_not_overflow_and_equals_that_in_float64(bool overMemory)
    {
        using var scope = NewDisposeScope();
        double Sum(params Tensor[] tensors) => overMemory ? SquaredNorm.OverMemory(tensors) : SquaredNorm.ByOperators(tensors);
        var large = full(70000, 1e20f);
        Assert.Equal(Math.Sqrt(70000 * 1e40 + 25e40), Math.Sqrt(Sum(large, tensor(new[] { 3e20f, -4e20f, 0f }))), 1e16);
        Assert.Equal(double.NaN, Sum(large, tensor(new[] { float.NaN, 0f, 0f })));
        Assert.Equal(0, Sum());
    }

    [Fact]
    public void The_sum_by_operators_is_that_over_memory()
    {
        using var scope = NewDisposeScope();
        Tensor[] tensors =
            [.. new long[][] { [1], [1023], [1024], [3, 700], [65535], [65536], [300, 501] }.Select((shape, i) => randn(shape).mul(i + 1))];
        foreach (var factor in new[] { 1, 1e-4f, 1e-20f })
        {
            Tensor[] scaled = [.. tensors.Select(tensor => tensor.mul(factor))];
            var expected = Math.Sqrt(SquaredNorm.OverMemory(scaled));
            // A float32's rounding, of squares of a row and of their root.
            Assert.InRange(Math.Sqrt(SquaredNorm.ByOperators(scaled)), expected * (1 - 1e-7), expected * (1 + 1e-7));
        }
    }

    [Fact]
    public void The_gradient_norm_is_of_those_that_are_there()
    {
        using var scope = NewDisposeScope();
        var (a, b) = (new Parameter(zeros(2)), new Parameter(zeros(1)));
        using var optimizer = new AdamW([("a", a), ("b", b), ("untouched", new Parameter(zeros(2)))], new AdamWOptions());
        Assert.Equal(0, optimizer.GradientNorm());
        (a.grad, b.grad) = (tensor(new[] { 2f, -3f }), tensor(new[] { 6f }));
        Assert.Equal(7, optimizer.GradientNorm());
    }
}
