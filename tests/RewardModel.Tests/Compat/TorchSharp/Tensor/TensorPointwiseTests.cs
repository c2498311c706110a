using static RewardModel.Tests.Compat.Values;
using static TorchSharp.torch;

namespace RewardModel.Tests.Compat;

public sealed class TensorPointwiseTests
{
    private static readonly float[] Numbers = [-2, -0.5f, 0, 1.5f];
    private readonly Tensor x = Vector(Numbers);

    [Fact]
    public void Elementary_functions()
    {
        Each(x.neg(), v => -v);
        Each(x.abs(), Math.Abs);
        Each(x.sign(), v => Math.Sign(v));
        Each(x.exp(), Math.Exp);
        Each(exp(x), Math.Exp);
        Each(x.tanh(), Math.Tanh);
        Each(tanh(x), Math.Tanh);
        Each(x.pow(2), v => v * v);
        AreClose([8, 9], Vector(2, 3).pow(Vector(3, 2)));
        AreClose([2, 3], Vector(4, 9).sqrt());
        AreClose([2, 3], sqrt(Vector(4, 9)));
        AreClose([0.5, 0.25], Vector(4, 16).rsqrt());
        AreClose([0.5, 0.25], rsqrt(Vector(4, 16)));
        AreClose([0, Math.Log(2)], Vector(1, 2).log());
        AreClose([0, Math.Log(2)], log(Vector(1, 2)));
        AreClose([0, Math.Log(3)], Vector(0, 2).log1p());
    }

    [Fact]
    public void Activations()
    {
        Each(x.sigmoid(), Sigmoid);
        Each(sigmoid(x), Sigmoid);
        Each(x.log_sigmoid(), v => Math.Log(Sigmoid(v)));
        Each(x.relu(), v => Math.Max(0, v));
        Each(x.silu(), v => v * Sigmoid(v));
        // x * Phi(x), with the normal distribution's Phi at -2, -0.5, 0 and 1.5.
        AreClose([-2 * 0.0227501319, -0.5 * 0.3085375387, 0, 1.5 * 0.9331927987], x.gelu());
    }

    [Fact]
    public void Softmax_and_its_logarithm()
    {
        var total = Math.Exp(1) + Math.Exp(2) + Math.Exp(3);
        double[] expected = [Math.Exp(1) / total, Math.Exp(2) / total, Math.Exp(3) / total];
        AreClose(expected, Vector(1, 2, 3).softmax(0));
        AreClose(expected, softmax(Vector(1, 2, 3), -1));
        AreClose([.. expected.Select(v => Math.Log(v))], Vector(1, 2, 3).log_softmax(0));
        Assert.Equal(ScalarType.Float64, Vector(1, 2).softmax(0, ScalarType.Float64).dtype);
        Assert.Equal(ScalarType.Float64, Vector(1, 2).log_softmax(0, ScalarType.Float64).dtype);
    }

    [Fact]
    public void Clamping_from_either_side()
    {
        AreEqual([-1, -0.5, 0, 1], x.clamp(-1, 1));
        AreEqual([-1, -0.5, 0, 1.5], x.clamp(min: -1));
        AreEqual([-2, -0.5, 0, 1], x.clip(max: 1));
        AreEqual([-1, -0.5, 0, 1], clamp(x, -1, 1));
        AreEqual([-1, 0, 0, 1], x.clamp(Vector(-1, 0, 0, 0), Vector(1, 1, 1, 1)));
        AreEqual([-1, 0, 0, 1], clamp(x, Vector(-1, 0, 0, 0), Vector(1, 1, 1, 1)));
        x.clamp_(-1, 1);
        AreEqual([-1, -0.5, 0, 1], x);
        x.clamp_(Vector(0, 0, 0, 0), Vector(9, 9, 9, 9));
        AreEqual([0, 0, 0, 1], x);
    }

    [Fact]
    public void Comparisons_with_tensors_and_numbers()
    {
        var y = Vector(-2, 0, -1, 2);
        AreEqual([1, 0, 0, 0], x.eq(y));
        AreEqual([1, 0, 0, 0], x.equal(y));
        AreEqual([0, 1, 1, 1], x.ne(y));
        AreEqual([0, 1, 0, 1], x.lt(y));
        AreEqual([1, 1, 0, 1], x.le(y));
        AreEqual([0, 0, 1, 0], x.gt(y));
        AreEqual([1, 0, 1, 0], x.ge(y));
        AreEqual([0, 0, 1, 0], x.eq(0));
        AreEqual([1, 1, 0, 1], x.ne(0));
        AreEqual([1, 1, 0, 0], x.lt(0));
        AreEqual([1, 1, 1, 0], x.le(0));
        AreEqual([0, 0, 0, 1], x.gt(0));
        AreEqual([0, 0, 1, 1], x.ge(0));
        Assert.Equal(ScalarType.Bool, x.ge(0).dtype);
    }

    [Fact]
    public void Logic_and_special_numbers()
    {
        var odd = Vector(1, float.NaN, float.PositiveInfinity, 0);
        AreEqual([0, 1, 0, 0], odd.isnan());
        AreEqual([0, 0, 1, 0], odd.isinf());
        AreEqual([1, 0, 0, 1], odd.isfinite());
        AreEqual([0, 0, 1, 0], x.logical_not());
        AreEqual([1, 1, 0, 0], x.logical_and(Vector(1, 1, 1, 0)));
    }

    [Fact]
    public void Allclose_counts_both_tolerances()
    {
        var near = x + 1e-6;
        Assert.True(x.allclose(x.clone()));
        Assert.False(x.allclose(near, rtol: 0));
        Assert.True(x.allclose(near, rtol: 0, atol: 1e-5));
        Assert.False(Vector(float.NaN).allclose(Vector(float.NaN)));
        Assert.True(Vector(float.NaN).allclose(Vector(float.NaN), equal_nan: true));
    }

    [Fact]
    public void Random_fills_keep_to_their_distribution()
    {
        using var generator = new Generator(1);
        var normal = zeros(10_000).normal_(3, 0.5, generator);
        Assert.Equal(3, normal.mean().item<float>(), 0.02);
        Assert.Equal(0.5, normal.std().item<float>(), 0.02);
        var uniform = zeros(10_000).uniform_(-1, 1, generator);
        Assert.InRange(uniform.min().item<float>(), -1, -0.99);
        Assert.InRange(uniform.max().item<float>(), 0.99, 1);
        Assert.Equal(0.25, zeros(10_000).bernoulli_(0.25, generator).mean().item<float>(), 0.02);
        AreEqual([0, 1, 1, 0], zeros(4).bernoulli_(Vector(0, 1, 1, 0), generator));
    }

    private static double Sigmoid(double v) => 1 / (1 + Math.Exp(-v));

    private static void Each(Tensor actual, Func<double, double> expected) =>
        AreClose([.. Numbers.Select(v => expected(v))], actual);
}
