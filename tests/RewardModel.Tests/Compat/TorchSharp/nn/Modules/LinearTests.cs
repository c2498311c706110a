using TorchSharp.Modules;
using static RewardModel.Tests.Compat.Values;
using static TorchSharp.torch;

namespace RewardModel.Tests.Compat;

public sealed class LinearTests
{
    [Fact]
    public void Weights_start_within_one_over_the_root_of_the_inputs()
    {
        using var layer = nn.Linear(100, 50);
        Assert.Equal([50L, 100], layer.weight.shape);
        Assert.Equal([50L], layer.bias.shape);
        Assert.InRange(layer.weight.abs().max().item<float>(), 0.099, 0.1);
        Assert.InRange(layer.bias.abs().max().item<float>(), 0.08, 0.1);
        using var plain = nn.Linear(3, 1, hasBias: false, dtype: ScalarType.Float64);
        Assert.Null(plain.bias);
        Assert.Equal(ScalarType.Float64, plain.weight.dtype);
    }

    [Fact]
    public void Weights_can_be_given()
    {
        using var layer = nn.Linear(new Parameter(ones(1, 3)), new Parameter(ones(1)));
        AreEqual([7, 16], [2, 1], layer.call(Matrix()));
        layer.bias = null;
        AreEqual([6, 15], layer.forward(Matrix()));
        Assert.Equal(["weight"], layer.state_dict().Keys);
    }
}
