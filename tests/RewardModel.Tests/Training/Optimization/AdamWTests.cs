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
    public void Steps_equal_the_formula_in_float64(int length) => AssertEqualsFormula(length, new VectorAdamW());

    [Theory]
    [InlineData(1)]
    [InlineData(65537)]
    public void Steps_of_operators_equal_the_formula_in_float64(int length) =>
        AssertEqualsFormula(length, new TensorAdamW(isFused: false));

    [Theory]
    [InlineData(1)]
    [InlineData(65537)]
    public void Steps_of_the_fused_operator_equal_the_formula_in_float64(int length) =>
        AssertEqualsFormula(length, new TensorAdamW(isFused: true));

    [Fact]
    public void Steps_of_operators_equal_those_over_memory() => AssertEqualSteps(new TensorAdamW(isFused: false));

    [Fact]
    public void Steps_of_the_fused_operator_equal_those_over_memory() => AssertEqualSteps(new TensorAdamW(isFused: true));

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
    public void Parameters_that_it_cannot_take_are_listed()
    {
        using var scope = NewDisposeScope();
        var error = Assert.Throws<ArgumentException>(() => new AdamW(
            [
                ("a", new Parameter(zeros(2))), ("b", new Parameter(zeros(2, dtype: float64))),
                ("c", new Parameter(zeros(2, 3).transpose(0, 1))), ("d", new Parameter(zeros(2, device: "meta"))),
            ],
            new AdamWOptions()));
        Assert.Equal(
            "Parameters can't be optimised: 'b' is Float64 on cpu; 'c' is not contiguous, Float32 on cpu; 'd' is Float32 on meta. "
            + "Expected contiguous Float32, all on one device, cpu. (Parameter 'parameters')",
            error.Message);
    }

    private static void AssertEqualsFormula(int length, IArithmetic<AdamWSlot, AdamWRule> arithmetic)
    {
        using var scope = NewDisposeScope();
        var random = new SplitMix64(3);
        float[] Draw() => [.. Enumerable.Range(0, length).Select(_ => random.NextBelow(2001) / 1000f - 1)];
        var start = Draw();
        var parameter = new Parameter(tensor(start).view(length, 1));
        var options = new AdamWOptions { Beta1 = 0.8, Beta2 = 0.95, Epsilon = 1e-6, WeightDecay = 0.1 };
        using var optimizer = new AdamW([("w", parameter)], options, arithmetic: arithmetic);
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
        // Three steps of about a dozen roundings.
        Numbers.AssertEqualButForRounding([.. expected.Select(value => (float)value)], Values(parameter), units: 6);
    }

    /// <summary>Weights and moments of several parameters, with and without decay and gradient, after steps of a training's size.</summary>
    private static void AssertEqualSteps(IArithmetic<AdamWSlot, AdamWRule> arithmetic)
    {
        using var scope = NewDisposeScope();
        float[][] After(IArithmetic<AdamWSlot, AdamWRule> computing)
        {
            var random = new SplitMix64(4);
            Tensor Draw(params long[] shape) => tensor(
                [.. Enumerable.Range(0, (int)shape.Aggregate(1L, (a, b) => a * b)).Select(_ => random.NextBelow(2001) / 1000f - 1)])
                .view(shape);
            var matrix = new Parameter(Draw(70, 30));
            var bias = new Parameter(Draw(30));
            var untouched = new Parameter(Draw(4, 4));
            using var optimizer = new AdamW(
                [("matrix", matrix), ("bias", bias), ("untouched", untouched)], new AdamWOptions { WeightDecay = 0.1 },
                arithmetic: computing);
            for (var step = 0; step < 10; step++)
            {
                // What a backward pass through a transposed matrix may leave.
                matrix.grad = Draw(30, 70).transpose(0, 1);
                bias.grad = Draw(30);
                optimizer.Step(1e-3, gradientScale: step % 2 == 0 ? 1 : 0.37);
            }
            return [Values(matrix), Values(bias), Values(untouched), .. optimizer.State().Select(pair => Values(pair.Tensor))];
        }
        foreach (var (expected, found) in After(new VectorAdamW()).Zip(After(arithmetic)))
            // Ten steps, in each of which a number is rounded about six times.
            Numbers.AssertEqualButForRounding(expected, found, units: 8);
    }

    private static float[] Values(Tensor tensor)
    {
        using var accessor = tensor.detach().contiguous().data<float>();
        return accessor.ToArray();
    }
}
