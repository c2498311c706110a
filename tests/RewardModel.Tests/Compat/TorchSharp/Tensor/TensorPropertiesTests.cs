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
        Assert.Equal(2, x.ndim);
        Assert.Equal(2, x.dim());
        Assert.Equal(6, x.numel());
        Assert.Equal([3L, 1], x.stride());
        Assert.Equal(1, x.T.stride(0));
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => x.size(2));
        Assert.StartsWith("expected from -2 to 1: the tensor has 2 dimensions", error.Message);
    }

    [Fact]
    public void Type_and_place()
    {
        Assert.Equal(ScalarType.Float32, x.dtype);
        Assert.Equal(4, x.element_size());
        Assert.Equal(2, x.bfloat16().element_size());
        Assert.Equal(DeviceType.CPU, x.device_type);
        Assert.Equal("cpu", x.device.ToString());
        Assert.Equal(-1, x.device_index);
        Assert.False(x.is_cuda);
        Assert.Equal("[2x3], type = Float32, device = cpu", x.ToString());
    }

    [Fact]
    public void Contiguous_only_as_laid_out()
    {
        Assert.True(x.is_contiguous());
        Assert.False(x.T.is_contiguous());
        Assert.True(x.T.contiguous().is_contiguous());
    }

    [Fact]
    public void Leaves_are_what_was_not_computed()
    {
        var w = x.clone().requires_grad_();
        Assert.True(w.is_leaf);
        Assert.False((w * 2).is_leaf);
    }
}
