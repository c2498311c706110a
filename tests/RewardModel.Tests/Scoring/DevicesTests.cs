using RewardModel.Scoring;
using TorchSharp;

namespace RewardModel.Tests.Scoring;

public class DevicesTests
{
    [Theory]
    [InlineData("cpu", 0, DeviceType.CPU)]
    [InlineData("cuda", 1, DeviceType.CUDA)]
    [InlineData("cuda:0", 1, DeviceType.CUDA)]
    [InlineData("cuda:3", 4, DeviceType.CUDA)]
    public void Devices_have_their_names(string name, int cudaCount, DeviceType type)
    {
        var device = Devices.Named(name, "--device", cudaCount);
        Assert.Equal((name, type), (device.ToString(), device.type));
    }

    [Theory]
    [InlineData("gpu")]
    [InlineData("")]
    [InlineData("cpu:0")]
    [InlineData("CUDA")]
    [InlineData("cuda:")]
    [InlineData("cuda:-1")]
    [InlineData("cuda:x")]
    [InlineData("cuda:0:0")]
    public void Other_names_are_refused(string name) => Assert.Equal(
        $"--device is '{name}'; expected cpu, cuda or cuda:N, where N counts the GPUs from 0.",
        Assert.Throws<ArgumentException>(() => Devices.Named(name, "--device", 1)).Message);

    [Theory]
    [InlineData("cuda")]
    [InlineData("cuda:1")]
    public void A_machine_without_a_GPU_is_told_so(string name) => Assert.Equal(
        $"--device is '{name}', but libtorch finds no CUDA device; expected a GPU with its driver, and a libtorch built for CUDA. "
        + "Without them, use --device cpu.",
        Assert.Throws<ArgumentException>(() => Devices.Named(name, "--device", 0)).Message);

    [Theory]
    [InlineData("cuda:1", 1, "1 CUDA device: expected cuda:0")]
    [InlineData("cuda:7", 4, "4 CUDA devices: expected cuda:0 to cuda:3")]
    public void A_GPU_that_is_not_there_is_told_with_those_that_are(string name, int cudaCount, string expected) => Assert.Equal(
        $"--device is '{name}'; this machine has {expected}.",
        Assert.Throws<ArgumentException>(() => Devices.Named(name, "--device", cudaCount)).Message);

    [Fact]
    public void Where_there_is_no_option_the_parameter_is_named()
    {
        Assert.Equal("cpu", Devices.Named("cpu").ToString());
        Assert.Equal(
            "device is 'gpu'; expected cpu, cuda or cuda:N, where N counts the GPUs from 0.",
            Assert.Throws<ArgumentException>(() => Devices.Named("gpu")).Message);
    }
}
