using System.Runtime.InteropServices;
using TorchSharp;
using static RewardModel.Tests.Compat.Values;
using static TorchSharp.torch;

namespace RewardModel.Tests.Compat;

public sealed class TensorConvertTests
{
    [Fact]
    public void Every_form_of_to()
    {
        var x = Vector(1.5f);
        Assert.Equal(ScalarType.Float64, x.to(ScalarType.Float64).dtype);
        Assert.Equal(ScalarType.Int64, x.to(ScalarType.Int64, "cpu").dtype);
        Assert.Equal(ScalarType.Int64, x.to(tensor(1L)).dtype);
        Assert.Equal(DeviceType.META, x.to("meta").device_type);
        Assert.Equal(DeviceType.META, x.to(DeviceType.META).device_type);
        AreEqual([1.5], x.to(x.device).cpu());
    }

    [Fact]
    public void To_shares_memory_unless_a_copy_is_asked_for()
    {
        var x = Vector(1);
        var same = x.to(ScalarType.Float32);
        var copy = x.to(ScalarType.Float32, copy: true);
        x.fill_(5);
        AreEqual([5], same);
        AreEqual([1], copy);
    }

    [Fact]
    public void DisposeAfter_disposes_the_source()
    {
        var x = Vector(1);
        AreEqual([1], x.to(ScalarType.Float64, disposeAfter: true));
        Assert.True(x.IsInvalid);
    }

    [Fact]
    public void Copies_and_fills()
    {
        var x = Vector(1, 2);
        var alias = x.view(2);
        var copy = x.clone();
        Assert.Same(x, x.copy_(Vector(7, 8)));
        AreEqual([7, 8], alias);
        AreEqual([1, 2], copy);
        AreEqual([3, 3], x.fill_(3));
        AreEqual([3, 3], alias);
        AreEqual([1, 4, 2, 5, 3, 6], Matrix().t().contiguous());
        Assert.Throws<ExternalException>(() => x.copy_(Vector(1, 2, 3)));
    }
}
