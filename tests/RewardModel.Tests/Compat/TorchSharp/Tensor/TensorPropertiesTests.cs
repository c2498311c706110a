using TorchSharp;
using static RewardModel.Tests.Compat.Values;
using static TorchSharp.torch;

namespace RewardModel.Tests.Compat;

public sealed class TensorPropertiesTests
{
    private readonly Tensor x = Matrix();

    [Fact]
    public void Shape_in_all_its_forms()
    {
        Assert.Equal([2L, 3], x.shape);
        Assert.Equal([2L, 3], x.size());
        Assert.Equal(3, x.size(1));
        Assert.Equal(2, x.size(-2));
        Assert.Equal(2, x.dim());
        Assert.Equal(6, x.numel());
        Assert.Equal([3L, 1], x.stride());
        Assert.Equal([1L, 3], x.t().stride());
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => x.size(2));
        Assert.StartsWith("expected from -2 to 1: the tensor has 2 dimensions", error.Message);
    }

    [Fact]
    public void Type_and_place()
    {
        Assert.Equal(ScalarType.Float32, x.dtype);
        Assert.Equal(4, x.element_size());
        Assert.Equal(2, x.to(ScalarType.BFloat16).element_size());
        Assert.Equal(DeviceType.CPU, x.device_type);
        Assert.Equal("cpu", x.device.ToString());
        Assert.Equal("[2x3], type = Float32, device = cpu", x.ToString());
    }

    [Fact]
    public void Contiguous_only_as_laid_out()
    {
        Assert.True(x.is_contiguous());
        Assert.False(x.t().is_contiguous());
        Assert.True(x.t().contiguous().is_contiguous());
    }
}
