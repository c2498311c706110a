using TorchSharp.Modules;
using static RewardModel.Tests.Compat.Values;
using static TorchSharp.torch;

namespace RewardModel.Tests.Compat;

public sealed class InitTests
{
    private readonly Parameter weight = new(zeros(10_000));

    [Fact]
    public void Constants()
    {
        var few = new Parameter(Vector(5, 6));
        AreEqual([0, 0], nn.init.zeros_(few));
        AreEqual([1, 1], nn.init.ones_(few));
        AreEqual([7, 7], nn.init.constant_(few, 7));
        AreEqual([7, 7], few);
        Assert.True(few.is_leaf);
    }

    [Fact]
    public void Distributions()
    {
        using var generator = new Generator(3);
        nn.init.normal_(weight, 2, 0.1, generator);
        Assert.Equal(2, weight.mean().item<float>(), 0.01);
        Assert.Equal(0.1, weight.std().item<float>(), 0.01);
        nn.init.uniform_(weight, 4, 5, generator);
        Assert.InRange(weight.min().item<float>(), 4, 4.01);
        Assert.InRange(weight.max().item<float>(), 4.99, 5);
        Assert.True(weight.requires_grad);
    }
}
