using TorchSharp.Modules;
using static RewardModel.Tests.Compat.Values;
using static TorchSharp.torch;

namespace RewardModel.Tests.Compat;

public sealed class UtilsTests
{
    private readonly Parameter a = new(Vector(0, 0));
    private readonly Parameter b = new(Vector(0));
    private readonly Parameter unused = new(Vector(0));

    public UtilsTests() => ((a * Vector(3, 0)).sum() + (b * 4).sum()).backward();

    [Fact]
    public void Gradients_are_scaled_to_the_common_norm()
    {
        Assert.Equal(5, nn.utils.clip_grad_norm_([a, b, unused], 1), 1e-6);
        AreClose([0.6, 0], a.grad);
        AreClose([0.8], b.grad);
        Assert.Null(unused.grad);
    }

    [Fact]
    public void Smaller_gradients_stay_as_they_are()
    {
        Assert.Equal(5, nn.utils.clip_grad_norm_([a, b], 6), 1e-6);
        AreEqual([3, 0], a.grad);
        AreEqual([4], b.grad);
    }

    [Fact]
    public void Other_norms()
    {
        Assert.Equal(7, nn.utils.clip_grad_norm_([a, b], 100, norm_type: 1), 1e-6);
        Assert.Equal(4, nn.utils.clip_grad_norm_([a, b], 100, double.PositiveInfinity), 1e-6);
        Assert.Equal(0, nn.utils.clip_grad_norm_([unused], 1));
    }
}
