using static RewardModel.Tests.Compat.Values;
using static TorchSharp.torch;

namespace RewardModel.Tests.Compat;

[Collection(nameof(RunsAlone))]
public sealed class TensorPointwiseTests
{
    private static readonly float[] numbers = [-2, -0.5f, 0, 1.5f];
    private readonly Tensor x = Vector(numbers);

    [Fact]
    public void Elementary_functions()
    {
        Each(x.neg(), v => -v);
        Each(x.abs(), Math.Abs);
        AreEqual([2, 4], Vector(4, 16).sqrt());
        AreClose([0.5, 0.25], Vector(4, 16).rsqrt());
    }

    [Fact]
    public void Activations()
    {
        Each(x.sigmoid(), Sigmoid);
        Each(x.tanh(), Math.Tanh);
        Each(x.relu(), v => Math.Max(0, v));
        Each(x.silu(), v => v * Sigmoid(v));
        // x * Phi(x), with the normal distribution's Phi at -2, -0.5, 0 and 1.5.
        AreClose([-2 * 0.0227501319, -0.5 * 0.3085375387, 0, 1.5 * 0.9331927987], x.gelu());
    }

    [Fact]
    public void Softmax()
    {
        var total = Math.Exp(1) + Math.Exp(2) + Math.Exp(3);
        AreClose([Math.Exp(1) / total, Math.Exp(2) / total, Math.Exp(3) / total], Vector(1, 2, 3).softmax(0));
        Assert.Equal(ScalarType.Float64, Vector(1, 2).softmax(-1, ScalarType.Float64).dtype);
    }

    private static double Sigmoid(double v) => 1 / (1 + Math.Exp(-v));

    private static void Each(Tensor actual, Func<double, double> expected) =>
        AreClose([.. numbers.Select(v => expected(v))], actual);
}
