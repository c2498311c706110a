using RewardModel.Kernels;
using static TorchSharp.torch;

namespace RewardModel.Tests.Kernels;

/// <summary>Alone, because it sets how many threads there are.</summary>
[Collection(nameof(RunsAlone))]
public class InvariantProductTests
{
    public static TheoryData<int, int, int, bool> Shapes => new()
    {
        { 1, 1, 1, false }, { 1, 64, 1, true }, { 5, 7, 3, true }, { 6, 512, 32, false }, { 7, 513, 33, true }, { 70, 1100, 65, true },
        { 1030, 40, 50, false },
    };

    [Theory, MemberData(nameof(Shapes))]
    public void It_is_the_product_of_a_linear_layer(int rows, int inputs, int outputs, bool hasBias)
    {
        using var scope = NewDisposeScope();
        var x = randn(rows, inputs);
        var weight = randn(outputs, inputs);
        var bias = hasBias ? randn(outputs) : null;
        var expected = nn.functional.linear(x.to(float64), weight.to(float64), bias?.to(float64)!).to(float32).data<float>().ToArray();
        // Sums of as many products, and a bias.
        var units = Math.Sqrt(inputs + 1) + 2;
        foreach (var laidOut in new[] { weight, weight.t().contiguous().t(), randn(outputs, 2 * inputs).slice(1, 0, 2 * inputs, 2).copy_(weight) })
        {
            Numbers.AssertEqualButForRounding(expected, InvariantProduct.Of(x, laidOut, bias).data<float>().ToArray(), units);
            Numbers.AssertEqualButForRounding(
                expected, InvariantProduct.Of(x.t().contiguous().t(), laidOut, bias).data<float>().ToArray(), units);
        }
    }

    [Fact]
    public void Other_types_are_refused()
    {
        using var scope = NewDisposeScope();
        Assert.Contains("in Float64; expected float32 on the CPU", Assert.Throws<InvalidOperationException>(
            () => InvariantProduct.Of(randn(2, 3), randn(4, 3, float64))).Message);
    }

    [Theory, MemberData(nameof(Shapes))]
    public void Every_row_is_the_same_to_the_bit_alone_and_with_any_threads(int rows, int inputs, int outputs, bool hasBias)
    {
        using var scope = NewDisposeScope();
        var x = randn(rows, inputs);
        var weight = randn(outputs, inputs);
        var bias = hasBias ? randn(outputs) : null;
        var all = InvariantProduct.Of(x, weight, bias).data<float>().ToArray();
        foreach (var row in new[] { 0, rows / 2, rows - 1 })
        {
            Assert.Equal(all[(row * outputs)..((row + 1) * outputs)], InvariantProduct.Of(x.narrow(0, row, 1), weight, bias).data<float>().ToArray());
            Assert.Equal(all[(row * outputs)..], InvariantProduct.Of(x.narrow(0, row, rows - row), weight, bias).data<float>().ToArray());
        }
        Assert.Equal(all, InvariantProduct.Of(x, weight.t().contiguous().t(), bias).data<float>().ToArray());
        // As the kernel says it: one sum after the other, each rounded once.
        for (var output = 0; output < outputs; output += 7)
        {
            var sum = 0f;
            for (var i = 0; i < inputs; i++)
                sum = MathF.FusedMultiplyAdd(x[0, i].item<float>(), weight[output, i].item<float>(), sum);
            if (System.Runtime.Intrinsics.X86.Fma.IsSupported)
                Assert.Equal(sum + (bias?[output].item<float>() ?? 0), all[output]);
        }
        var threads = get_num_threads();
        try
        {
            set_num_threads(threads == 1 ? 2 : 1);
            Assert.Equal(all, InvariantProduct.Of(x, weight, bias).data<float>().ToArray());
        }
        finally
        {
            set_num_threads(threads);
        }
    }
}
