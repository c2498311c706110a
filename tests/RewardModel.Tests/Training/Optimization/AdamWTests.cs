using RewardModel.Training.Data;
using RewardModel.Training.Optimization;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace RewardModel.Tests.Training.Optimization;

public class AdamWTests
{
    [Fact]
    public void Defaults_are_PyTorchs() =>
        Assert.Equal(
            new AdamWOptions { Beta1 = 0.9, Beta2 = 0.999, Epsilon = 1e-8, WeightDecay = 0.01, DecayAll = false }, new AdamWOptions());

    // Lengths around the vector's and the block's.
    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(16)]
    [InlineData(65536)]
    [InlineData(65537 + 13)]
    public void Steps_equal_the_formula_in_float64(int length)
    {
        using var scope = NewDisposeScope();
        var random = new SplitMix64(3);
        float[] Draw() => [.. Enumerable.Range(0, length).Select(_ => random.NextBelow(2001) / 1000f - 1)];
        var start = Draw();
        var parameter = new Parameter(tensor(start).view(length, 1));
        var options = new AdamWOptions { Beta1 = 0.8, Beta2 = 0.95, Epsilon = 1e-6, WeightDecay = 0.1 };
        using var optimizer = new AdamW([("w", parameter)], options);
        var expected = start.Select(value => (double)value).ToArray();
        var (m, v) = (new double[length], new double[length]);
        for (var step = 1; step <= 3; step++)
        {
            var gradient = Draw();
            parameter.grad = tensor(gradient).view(length, 1);
            var learningRate = 0.01 * step;
            optimizer.Step(learningRate, gradientScale: 0.5);
            for (var i = 0; i < length; i++)
            {
                var g = 0.5 * gradient[i];
                expected[i] -= learningRate * 0.1 * expected[i];
                m[i] = 0.8 * m[i] + 0.2 * g;
                v[i] = 0.95 * v[i] + 0.05 * g * g;
                expected[i] -= learningRate * (m[i] / (1 - Math.Pow(0.8, step))) / (Math.Sqrt(v[i] / (1 - Math.Pow(0.95, step))) + 1e-6);
            }
        }
        using var data = parameter.detach().data<float>();
        var found = data.ToArray();
        for (var i = 0; i < length; i++)
            Assert.Equal(expected[i], found[i], 2e-6);
    }

    [Fact]
    public void The_gradient_norm_does_not_overflow_and_equals_the_sum_in_float64()
    {
        using var scope = NewDisposeScope();
        var a = new Parameter(zeros(70000));
        var b = new Parameter(zeros(3));
        a.grad = full(70000, 1e20f);
        b.grad = tensor(new[] { 3e20f, -4e20f, 0f });
        using var optimizer = new AdamW([("a", a), ("b", b)], new AdamWOptions());
        Assert.Equal(Math.Sqrt(70000 * 1e40 + 25e40), optimizer.GradientNorm(), 1e16);
        b.grad = tensor(new[] { float.NaN, 0f, 0f });
        Assert.Equal(double.NaN, optimizer.GradientNorm());
    }

    [Fact]
    public void Only_matrices_decay_unless_asked_for_and_parameters_without_gradient_stay()
    {
        using var scope = NewDisposeScope();
        float[] After(bool decayAll)
        {
            var matrix = new Parameter(ones(1, 1));
            var bias = new Parameter(ones(1));
            var untouched = new Parameter(ones(1, 1));
            matrix.grad = zeros(1, 1);
            bias.grad = zeros(1);
            using var optimizer = new AdamW(
                [("matrix", matrix), ("bias", bias), ("untouched", untouched)],
                new AdamWOptions { WeightDecay = 0.5, DecayAll = decayAll });
            optimizer.Step(0.1);
            return [matrix.item<float>(), bias.item<float>(), untouched.item<float>()];
        }
        Assert.Equal([0.95f, 1f, 1f], After(decayAll: false));
        Assert.Equal([0.95f, 0.95f, 1f], After(decayAll: true));
    }

    [Fact]
    public void A_parameter_of_another_type_is_refused()
    {
        using var scope = NewDisposeScope();
        var error = Assert.Throws<ArgumentException>(() => new AdamW([("w", new Parameter(zeros(2, dtype: float64)))], new AdamWOptions()));
        Assert.Equal("The parameter 'w' is Float64 on CPU; expected contiguous Float32 on CPU. (Parameter 'parameter')", error.Message);
    }
}
