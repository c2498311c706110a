using RewardModel.Distributed;
using static TorchSharp.torch;

namespace RewardModel.Tests.Distributed;

public class PartEndsTests
{
    [Fact]
    public void Parts_lie_between_ends()
    {
        var parts = new PartEnds([2, 2, 7], 3);
        Assert.Equal(7, parts.Total);
        Assert.Equal([0L, 2, 2], Enumerable.Range(0, 3).Select(parts.Start));
        Assert.Equal([2L, 0, 5], Enumerable.Range(0, 3).Select(parts.Count));
        Assert.Equal([2, 0, 5], parts.Counts());
        Assert.Equal([0, 2, 2], parts.Starts());
        Assert.False(parts.AreEven);
        Assert.True(new PartEnds([3, 6, 9], 3).AreEven);
        Assert.Throws<OverflowException>(() => new PartEnds([1L << 31, 1L << 31], 2).Counts());
    }

    [Fact]
    public void Ends_that_do_not_rise_are_refused()
    {
        Assert.Equal(
            "The ends of the parts are 2, 1. Expected one for each of 2 ranks, rising from 0. (Parameter 'ends')",
            Assert.Throws<ArgumentException>(() => new PartEnds([2, 1], 2)).Message);
        Assert.Throws<ArgumentException>(() => new PartEnds([-1, 1], 2));
        Assert.Throws<ArgumentException>(() => new PartEnds([1], 2));
    }

    [Fact]
    public void Tensors_that_are_not_what_was_asked_for_are_refused()
    {
        using var scope = NewDisposeScope();
        var parts = new PartEnds([2, 5], 2);
        parts.Check(ones(5), ones(3), 1);
        parts.Check(ones(5, float64), ones(2, float64), 0);
        Assert.Equal(
            "The tensor has 2 elements of Float32. Expected 3 contiguous ones of float32 or float64.",
            Assert.Throws<ArgumentException>(() => parts.Check(ones(5), ones(2), 1)).Message);
        Assert.Equal(
            "The tensor is of Float32 on cpu, and the part of Float64 on cpu. Expected the same.",
            Assert.Throws<ArgumentException>(() => parts.Check(ones(5), ones(3, float64), 1)).Message);
        Assert.Equal(
            "The tensor has 4 elements of Float32, which are not contiguous. Expected 4 contiguous ones of float32 or float64.",
            Assert.Throws<ArgumentException>(() => PartEnds.CheckTensor(ones(2, 2).t(), 4)).Message);
        Assert.Throws<ArgumentException>(() => PartEnds.CheckTensor(ones(4, int64), 4));
    }
}
