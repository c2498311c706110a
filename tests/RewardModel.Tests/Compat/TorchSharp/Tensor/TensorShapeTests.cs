using System.Runtime.InteropServices;
using static RewardModel.Tests.Compat.Values;
using static TorchSharp.torch;

namespace RewardModel.Tests.Compat;

public sealed class TensorShapeTests
{
    private readonly Tensor x = Matrix();

    [Fact]
    public void Views_of_other_shapes()
    {
        AreEqual([1, 2, 3, 4, 5, 6], [3, 2], x.view(3, 2));
        AreEqual([1, 2, 3, 4, 5, 6], [6], x.reshape(-1));
        AreEqual([1, 2, 3, 4, 5, 6], [2, 1, 3], x.unsqueeze(1));
        AreEqual([1, 2, 3, 4, 5, 6], [2, 3], x.unsqueeze(1).unsqueeze(0).squeeze());
        AreEqual([1, 2, 3, 4, 5, 6], [1, 2, 3], x.unsqueeze(1).unsqueeze(0).squeeze(2));
        Assert.Equal("shape '[4]' is invalid for input of size 6", Assert.Throws<ExternalException>(() => x.view(4)).Message);
    }

    [Fact]
    public void Dimensions_in_another_order()
    {
        double[] turned = [1, 4, 2, 5, 3, 6];
        AreEqual(turned, [3, 2], x.transpose(0, 1));
        AreEqual(turned, [3, 2], x.permute(1, 0));
        AreEqual(turned, [3, 2], x.permute(new List<long> { 1, 0 }));
        AreEqual(turned, [3, 2], x.t());
    }

    [Fact]
    public void Copies_side_by_side()
    {
        AreEqual([1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6], [4, 3], x.repeat(2, 1));
        AreEqual([1, 2, 1, 2, 3, 4, 3, 4], [2, 4], tensor(new float[,] { { 1, 2 }, { 3, 4 } }).repeat(1, 2));
        AreEqual([7, 7], [2, 1, 1], tensor(7f).repeat(2, 1, 1));
    }

    [Fact]
    public void Pieces()
    {
        AreEqual([2, 3, 5, 6], [2, 2], x.narrow(1, 1, 2));
        Assert.Equal([[1, 2, 4, 5], [3, 6]], x.split(2, dim: 1).Select(Of));
        Assert.Equal([[1, 4], [2, 3, 5, 6]], x.split([1, 2], dim: 1).Select(Of));
        Assert.Equal([[1], [2, 3]], Vector(1, 2, 3).split(1L, 2L).Select(Of));
        Assert.Equal([[1, 4], [2, 5], [3, 6]], x.unbind(1).Select(Of));
        Assert.Equal([3L], x.unbind()[1].shape);
    }
}
