using static RewardModel.Tests.Compat.Values;
using static TorchSharp.torch;

namespace RewardModel.Tests.Compat;

public sealed class TensorAccessorTests
{
    private readonly Tensor x = Matrix();

    [Fact]
    public void Elements_come_row_by_row_whatever_the_strides()
    {
        using var straight = x.data<float>();
        using var turned = x.t().data<float>();
        Assert.Equal([1, 2, 3, 4, 5, 6], straight.ToArray());
        Assert.Equal([1, 4, 2, 5, 3, 6], turned.ToArray());
        Assert.Equal(6, turned[2, 1]);
    }

    [Fact]
    public void Writing_reaches_the_tensor()
    {
        using var straight = x.data<float>();
        straight[0, 1] = 20;
        using var turned = x.t().data<float>();
        turned[2, 0] = 30;
        AreEqual([1, 20, 30, 4, 5, 6], x);
    }

    [Fact]
    public void Wrong_indices_are_refused()
    {
        using var accessor = x.data<float>();
        Assert.Equal("1 indices given, the tensor has 2 dimensions", Assert.Throws<ArgumentException>(() => accessor[0]).Message);
        Assert.Equal(
            "index 3 is outside of dimension 1, which has 3 elements",
            Assert.Throws<IndexOutOfRangeException>(() => accessor[0, 3]).Message);
    }

    [Fact]
    public void It_ends_with_the_tensor_and_with_itself()
    {
        var accessor = x.data<float>();
        x.Dispose();
        Assert.Throws<InvalidOperationException>(() => accessor[0, 0]);
        Assert.Throws<InvalidOperationException>(accessor.ToArray);
        accessor.Dispose();
        Assert.Throws<ObjectDisposedException>(accessor.ToArray);
    }
}
