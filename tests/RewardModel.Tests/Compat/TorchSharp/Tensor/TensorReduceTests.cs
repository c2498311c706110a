using static RewardModel.Tests.Compat.Values;
using static TorchSharp.torch;

namespace RewardModel.Tests.Compat;

public sealed class TensorReduceTests
{
    private readonly Tensor x = tensor(new float[,] { { 1, 5, 3 }, { 4, 2, 6 } });

    [Fact]
    public void Sums()
    {
        AreEqual([21], [], x.sum());
        AreEqual([9, 12], [2], x.sum(1));
        AreEqual([9, 12], [2, 1], x.sum(1, keepdim: true));
        // A literal 0 without the L would be the ScalarType Byte, here as in TorchSharp.
        AreEqual([5, 7, 9], x.sum(0L));
        AreEqual([21], x.sum(0, 1));
        AreEqual([21], [1, 1, 1], x.unsqueeze(0).sum(0, 1, 2, keepdim: true));
        AreEqual([21], x.sum([0, 1]));
        Assert.Equal(ScalarType.Float64, x.sum(ScalarType.Float64).dtype);
        Assert.Equal(ScalarType.Float64, x.sum(1, type: ScalarType.Float64).dtype);
    }

    [Fact]
    public void Running_sums()
    {
        AreEqual([1, 6, 9, 4, 6, 12], [2, 3], x.cumsum(1));
        AreEqual([1, 5, 3, 5, 7, 9], [2, 3], x.cumsum(0));
        Assert.Equal(ScalarType.Float64, x.cumsum(1, ScalarType.Float64).dtype);
    }

    [Fact]
    public void Means()
    {
        AreEqual([3.5], [], x.mean());
        AreEqual([3, 4], [2], x.mean([1]));
        AreEqual([3, 4], [2, 1], x.mean([1], keepdim: true));
        Assert.Equal(ScalarType.Float64, x.mean([1], type: ScalarType.Float64).dtype);
    }

    [Fact]
    public void Largest_elements_and_their_places()
    {
        AreEqual([6], [], x.max());
        AreEqual([3, 5, 3, 4, 3, 6], x.max(tensor(3f)));
        var (largest, where) = x.max(1);
        AreEqual([5, 6], largest);
        AreEqual([1, 2], where);
        var (columns, _) = x.max(0, keepdim: true);
        AreEqual([4, 5, 6], [1, 3], columns);
    }
}
