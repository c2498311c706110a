using TorchSharp.Modules;
using static RewardModel.Tests.Compat.Values;
using static TorchSharp.torch;

namespace RewardModel.Tests.Compat;

[Collection(nameof(RunsAlone))]
public sealed class InitTests
{
    [Fact]
    public void Constants()
    {
        var weight = new Parameter(Vector(5, 6));
        AreEqual([0, 0], nn.init.zeros_(weight));
        AreEqual([0, 0], weight);
        AreEqual([1, 1], nn.init.ones_(weight));
        Assert.True(weight.requires_grad);
    }

    [Fact]
    public void Normal_numbers_have_their_mean_and_spread()
    {
        using var generator = manual_seed(3);
        var values = Of(nn.init.normal_(new Parameter(zeros(10_000)), 2, 0.1, generator));
        Assert.Equal(2, values.Average(), 0.01);
        Assert.Equal(0.1, Math.Sqrt(values.Average(value => (value - 2) * (value - 2))), 0.01);
    }
}
