using System.Runtime.InteropServices;
using static RewardModel.Tests.Compat.Values;
using static TorchSharp.torch;

namespace RewardModel.Tests.Compat;

public sealed class TorchOperatorsTests
{
    [Fact]
    public void Tensors_side_by_side()
    {
        Tensor[] two = [Vector(1, 2), Vector(3, 4)];
        AreEqual([1, 2, 3, 4], [4], cat(two));
        AreEqual([1, 2, 3, 4], [4], cat(new List<Tensor>(two)));
        AreEqual([1, 2, 3, 1, 4, 5, 6, 1], [2, 4], cat([Matrix(), ones(2, 1)], dim: 1));
        Assert.Throws<ExternalException>(() => cat([Matrix(), Matrix().t()]));
    }
}
