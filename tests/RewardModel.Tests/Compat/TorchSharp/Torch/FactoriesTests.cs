using System.Runtime.InteropServices;
using TorchSharp;
using static RewardModel.Tests.Compat.Values;
using static TorchSharp.torch;

namespace RewardModel.Tests.Compat;

[Collection(nameof(RunsAlone))]
public sealed class FactoriesTests
{
    [Fact]
    public void Filled_tensors_of_every_rank()
    {
        AreEqual([0, 0], [2], zeros(2));
        AreEqual([0, 0], [2, 1], zeros(2, 1));
        AreEqual([0, 0], [2, 1, 1], zeros(2, 1, 1));
        AreEqual([0, 0], [2, 1, 1, 1], zeros(2, 1, 1, 1));
        AreEqual([0, 0], [1, 1, 1, 1, 2], zeros([1, 1, 1, 1, 2]));
        AreEqual([1, 1], [2], ones(2));
        AreEqual([1, 1], [2, 1], ones(2, 1));
        AreEqual([1, 1], [2, 1, 1], ones(2, 1, 1));
        AreEqual([1, 1], [2, 1, 1, 1], ones(2, 1, 1, 1));
        AreEqual([7, 7], [2], full(2, 7f));
        AreEqual([7, 7], [2, 1], full(2, 1, 7f));
        AreEqual([7, 7], [2, 1, 1], full(2, 1, 1, 7f));
        AreEqual([7, 7], [2, 1, 1, 1], full(2, 1, 1, 1, 7f));
        Assert.Equal([2L], empty(2).shape);
        Assert.Equal([2L, 3], empty(2, 3).shape);
        Assert.Equal([2L, 3, 4], empty(2, 3, 4).shape);
        Assert.Equal([2L, 3, 4, 5], empty(2, 3, 4, 5).shape);
    }

    [Fact]
    public void Ranges()
    {
        AreEqual([0, 1, 2], arange(3));
        AreEqual([2, 3], arange(2, 4));
        AreEqual([1, 3, 5], arange(1, 7, 2));
        AreEqual([0, 0.5, 1], arange(0, 1.5, 0.5));
        Assert.Equal(ScalarType.Int64, arange(3).dtype);
        Assert.Equal(ScalarType.Float32, arange(3.0).dtype);
        Assert.Equal(ScalarType.Int32, arange(3, ScalarType.Int32).dtype);
    }

    [Fact]
    public void Type_device_and_gradient_are_as_asked()
    {
        var x = zeros(2, dtype: ScalarType.BFloat16, device: "meta", requires_grad: true);
        Assert.Equal(ScalarType.BFloat16, x.dtype);
        Assert.Equal(DeviceType.META, x.device_type);
        Assert.True(x.requires_grad);
        Assert.False(zeros(2).requires_grad);
        Assert.True(tensor(1f, requires_grad: true).requires_grad);
    }

    [Fact]
    public void Dimension_names_are_refused()
    {
        var error = Assert.Throws<NotSupportedException>(() => zeros(1, names: ["batch"]));
        Assert.Equal("dimension names are not supported: leave out the argument 'names'", error.Message);
    }

    // "negative dimension -1" in libtorch 1.13, "must be non-negative" in 2.14.
    [Fact]
    public void Negative_sizes_are_refused_with_libtorchs_words() =>
        Assert.Contains("negative", Assert.Throws<ExternalException>(() => zeros(-1)).Message);
}
