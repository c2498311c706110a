using static RewardModel.Tests.Compat.Values;
using static TorchSharp.torch;

namespace RewardModel.Tests.Compat;

public sealed class LayerNormTests
{
    [Fact]
    public void It_normalises_then_scales()
    {
        using var norm = nn.LayerNorm(2, eps: 0);
        AreClose([-1, 1], norm.call(Vector(1, 3)));
        nn.init.constant_(norm.weight, 2);
        nn.init.constant_(norm.bias, 1);
        AreClose([-1, 3], norm.call(Vector(1, 3)));
        Assert.Equal(["weight"], nn.LayerNorm([2, 3], bias: false).state_dict().Keys);
        Assert.Empty(nn.LayerNorm(2, elementwise_affine: false).state_dict());
    }
}
