using TorchSharp;
using static RewardModel.Tests.Compat.Values;
using static TorchSharp.torch;

namespace RewardModel.Tests.Compat;

public sealed class DeviceTests
{
    [Theory]
    [InlineData("cpu", DeviceType.CPU, -1, "cpu")]
    [InlineData("cuda", DeviceType.CUDA, -1, "cuda")]
    [InlineData("cuda:1", DeviceType.CUDA, 1, "cuda:1")]
    [InlineData("meta", DeviceType.META, -1, "meta")]
    public void Descriptions(string description, DeviceType type, int index, string text)
    {
        Device device = description;
        Assert.Equal(type, device.type);
        Assert.Equal(index, device.index);
        Assert.Equal(text, device.ToString());
    }

    [Fact]
    public void Unknown_descriptions_are_named()
    {
        Assert.StartsWith(
            "'tpu' is not a device: expected cpu, cuda or meta", Assert.Throws<ArgumentException>(() => (Device)"tpu").Message);
        Assert.StartsWith(
            "'cuda:x' is not a device: expected a name and an index, like cuda:0",
            Assert.Throws<ArgumentException>(() => (Device)"cuda:x").Message);
    }

    [Fact]
    public void A_device_that_is_not_there_is_an_invalid_operation()
    {
        if (cuda_is_available())
            return;
        const string expected = "Torch device type CUDA did not initialise on the current machine.";
        Assert.Equal(expected, Assert.Throws<InvalidOperationException>(() => Vector(1).to("cuda:0")).Message);
        Assert.Equal(expected, Assert.Throws<InvalidOperationException>(() => zeros(1, device: "cuda")).Message);
        Assert.Equal(0, cuda.device_count());
    }
}
