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

    [Fact]
    public void Normal_numbers_cut_off_stay_between_the_bounds_and_pile_up_at_neither()
    {
        using var generator = manual_seed(3);
        var values = Of(nn.init.trunc_normal_(new Parameter(zeros(10_000)), 2, 0.1, 1.9, 2.3, generator));
        Assert.InRange(values.Min(), 1.9f, 1.901f);
        Assert.InRange(values.Max(), 2.2f, 2.3f);
        // Of a normal distribution between -1 and 3: mean 0.2827, variance 0.6161 (Johnson and Kotz, chapter 13, section 10.1).
        Assert.Equal(2.0283, values.Average(), 0.003);
        Assert.Equal(Math.Sqrt(0.6161) / 10, Math.Sqrt(values.Average(value => Math.Pow(value - values.Average(), 2))), 0.003);
    }
}
