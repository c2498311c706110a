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
        AreEqual([1, 2, 3, 4, 5, 6], [6], x.flatten());
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
        AreEqual(turned, [3, 2], x.T);
        AreEqual(turned, [3, 2], x.mT);
    }

    [Fact]
    public void Repeating_and_expanding()
    {
        AreEqual([1, 2, 1, 2], [2, 2], Vector(1, 2).repeat(2, 1));
        AreEqual([1, 2, 1, 2], [2, 2], Vector(1, 2).expand(2, 2));
        AreEqual([1, 2, 1, 2], [2, 2], Vector(1, 2).expand([2, 2], isImplicit: false));
        AreEqual([1, 1, 1, 2, 2, 2], [2, 3], tensor(new float[,] { { 1 }, { 2 } }).expand_as(x));
    }

    [Fact]
    public void Pieces()
    {
        AreEqual([2, 3, 5, 6], [2, 2], x.narrow(1, 1, 2));
        AreEqual([3, 6], [2], x.select(1, 2));
        Assert.Equal([[1, 2, 4, 5], [3, 6]], x.split(2, dim: 1).Select(Of));
        Assert.Equal([[1, 4], [2, 3, 5, 6]], x.split([1, 2], dim: 1).Select(Of));
        Assert.Equal([[1], [2, 3]], Vector(1, 2, 3).split(1L, 2L).Select(Of));
        Assert.Equal([[1, 2], [3]], Vector(1, 2, 3).chunk(2).Select(Of));
        Assert.Equal([[1, 4], [2, 5], [3, 6]], x.unbind(1).Select(Of));
        Assert.Equal([3L], x.unbind()[1].shape);
    }

    [Fact]
    public void Triangles()
    {
        AreEqual([1, 0, 0, 4, 5, 0], x.tril());
        AreEqual([1, 2, 0, 4, 5, 6], x.tril(1));
        AreEqual([1, 2, 3, 0, 5, 6], x.triu());
        AreEqual([0, 2, 3, 0, 0, 6], x.triu(1));
        AreEqual([1, 0, 0, 4, 5, 0], tril(x));
        AreEqual([1, 2, 3, 0, 5, 6], triu(x));
    }
}
