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
        Assert.Equal(ScalarType.Int64, x.to(ScalarType.Int64, CPU).dtype);
        Assert.Equal(ScalarType.Int64, x.to(tensor(1L)).dtype);
        Assert.Equal(ScalarType.Int64, x.to_type(ScalarType.Int64).dtype);
        Assert.Equal(ScalarType.Int64, x.type_as(tensor(1L)).dtype);
        Assert.Equal(ScalarType.BFloat16, x.bfloat16().dtype);
        Assert.Equal(ScalarType.Float16, x.half().dtype);
        Assert.Equal(ScalarType.Float32, x.half().@float().dtype);
        Assert.Equal(DeviceType.META, x.to("meta").device_type);
        Assert.Equal(DeviceType.META, x.to(DeviceType.META).device_type);
        AreEqual([1.5], x.to(CPU).cpu());
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
    public void A_device_that_is_not_there_is_an_invalid_operation()
    {
        if (cuda.is_available())
            return;
        var error = Assert.Throws<InvalidOperationException>(() => Vector(1).cuda());
        Assert.Equal("Torch device type CUDA did not initialise on the current machine.", error.Message);
    }

    [Fact]
    public void Copies_and_fills()
    {
        var x = Vector(1, 2);
        var copy = x.clone();
        var alias = x.alias();
        Assert.Same(x, x.copy_(Vector(7, 8)));
        AreEqual([7, 8], alias);
        AreEqual([1, 2], copy);
        AreEqual([3, 3], x.fill_(3));
        AreEqual([0, 0], x.zero_());
        AreEqual([1, 4, 2, 5, 3, 6], Matrix().T.contiguous());
        Assert.Throws<ExternalException>(() => x.copy_(Vector(1, 2, 3)));
    }
}
