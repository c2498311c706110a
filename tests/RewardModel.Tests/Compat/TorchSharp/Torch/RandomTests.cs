using static RewardModel.Tests.Compat.Values;
using static TorchSharp.torch;

namespace RewardModel.Tests.Compat;

[Collection(nameof(Alone))]
public sealed class RandomTests
{
    [Fact]
    public void The_same_seed_gives_the_same_numbers()
    {
        manual_seed(5).Dispose();
        var first = Of(randn(4));
        var second = Of(randn(4));
        manual_seed(5).Dispose();
        Assert.Equal(first, Of(randn(4)));
        Assert.NotEqual(first, second);
        cuda.manual_seed_all(5);
        Assert.Equal(first, Of(randn(4)));
    }

    [Fact]
    public void A_saved_state_gives_the_same_numbers_again()
    {
        manual_seed(5).Dispose();
        _ = randn(3);
        var state = get_rng_state();
        var first = Of(randn(4));
        set_rng_state(state);
        Assert.Equal(first, Of(randn(4)));
        Assert.Equal(ScalarType.Byte, state.dtype);
    }

    [Fact]
    public void Generators_are_independent_of_each_other()
    {
        using var a = new Generator(7);
        using var b = new Generator(7);
        var first = Of(rand([3], generator: a));
        _ = rand([3]);
        Assert.Equal(first, Of(rand([3], generator: b)));
        Assert.Equal(7, a.initial_seed());
        var state = a.get_state();
        var next = Of(rand([3], generator: a));
        a.set_state(state);
        Assert.Equal(next, Of(rand([3], generator: a)));
        a.manual_seed(7);
        Assert.Equal(first, Of(rand([3], generator: a)));
        Assert.Equal(a.seed(), a.initial_seed());
        Assert.Equal("cpu", a.device.ToString());
    }

    [Fact]
    public void A_disposed_generator_says_so()
    {
        var generator = new Generator();
        generator.Dispose();
        var error = Assert.Throws<InvalidOperationException>(() => generator.manual_seed(1));
        Assert.Equal("Generator invalid -- empty handle.", error.Message);
        Assert.Throws<NotSupportedException>(() => new Generator(1, new Device("meta")));
    }

    [Fact]
    public void Shapes_and_ranges()
    {
        Assert.Equal([2L, 3], rand(2, 3).shape);
        Assert.Equal([2L, 3, 4], rand(2, 3, 4).shape);
        Assert.Equal([2L, 3, 4, 5], randn(2, 3, 4, 5).shape);
        var uniform = rand(10_000);
        Assert.InRange(uniform.min().item<float>(), 0, 0.01);
        Assert.InRange(uniform.max().item<float>(), 0.99, 1);
        Assert.Equal([0L, 1, 2], randint(3, [1000]).data<long>().Distinct().Order());
        Assert.Equal([-1, 0], randint(-1, 1, [1000], ScalarType.Int32).data<int>().Distinct().Order());
        AreEqual([0, 1, 2, 3], arange(4)[randperm(4)].sort().Item1);
    }
}
