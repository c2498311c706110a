using System.Runtime.InteropServices;
using static RewardModel.Tests.Compat.Values;
using static TorchSharp.torch;

namespace RewardModel.Tests.Compat;

public sealed class TensorMemoryTests
{
    [Fact]
    public void Item_reads_the_one_element_in_its_own_type()
    {
        Assert.Equal(2.5f, tensor(2.5f).item<float>());
        Assert.Equal(7L, tensor(7L).item<long>());
        Assert.True(tensor(true).item<bool>());
        Assert.Equal((Half)1.5, tensor(1.5f).to(ScalarType.Float16).item<Half>());
        Assert.Equal(3f, Vector(1, 3).narrow(0, 1, 1).item<float>());
    }

    [Fact]
    public void Item_of_another_type_or_size_is_an_argument_error()
    {
        Assert.Equal(
            "the tensor's elements are Float32, not Double: convert it with to() first",
            Assert.Throws<ArgumentException>(() => tensor(1f).item<double>()).Message);
        Assert.Equal(
            "item() needs a tensor of one element, this one has 2",
            Assert.Throws<ArgumentException>(() => Vector(1, 2).item<float>()).Message);
    }

    [Fact]
    public void Data_of_another_type_or_device_is_refused()
    {
        Assert.Throws<ArgumentException>(() => Vector(1).data<long>());
        Assert.Equal(
            "the tensor's memory is on meta: call cpu() first",
            Assert.Throws<InvalidOperationException>(() => Vector(1).to("meta").data<float>()).Message);
    }

    [Fact]
    public void Bytes_are_the_memory_itself()
    {
        var x = Vector(1, 2);
        MemoryMarshal.Cast<byte, float>(x.bytes)[1] = 9;
        AreEqual([1, 9], x);
        x.bytes = new byte[8];
        AreEqual([0, 0], x);
        Assert.Equal("4 bytes given, the tensor has 8", Assert.Throws<ArgumentException>(() => x.bytes = new byte[4]).Message);
        Assert.Equal(
            "bytes needs a contiguous tensor: call contiguous() first",
            Assert.Throws<InvalidOperationException>(() => Matrix().t().bytes.Length).Message);
    }
}
