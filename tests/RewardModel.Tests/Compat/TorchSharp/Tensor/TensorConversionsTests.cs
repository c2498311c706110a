using TorchSharp;
using static RewardModel.Tests.Compat.Values;
using static TorchSharp.torch;

namespace RewardModel.Tests.Compat;

public sealed class TensorConversionsTests
{
    [Fact]
    public void Numbers_become_tensors_without_dimensions()
    {
        (Tensor Tensor, ScalarType Type)[] converted =
        [
            (true, ScalarType.Bool), ((byte)1, ScalarType.Byte), (1, ScalarType.Int32), (1L, ScalarType.Int64), (1f, ScalarType.Float32),
            (1d, ScalarType.Float64), ((Scalar)1f, ScalarType.Float32),
        ];
        foreach (var (number, type) in converted)
        {
            Assert.Equal(type, number.dtype);
            AreEqual([1], [], number);
        }
    }

    [Fact]
    public void Arrays_become_vectors()
    {
        (Tensor Tensor, ScalarType Type)[] converted =
        [
            (new[] { true, false }, ScalarType.Bool), (new byte[] { 1, 0 }, ScalarType.Byte), (new[] { 1, 0 }, ScalarType.Int32),
            (new[] { 1L, 0L }, ScalarType.Int64), (new[] { 1f, 0f }, ScalarType.Float32), (new[] { 1d, 0d }, ScalarType.Float64),
        ];
        foreach (var (vector, type) in converted)
        {
            Assert.Equal(type, vector.dtype);
            AreEqual([1, 0], [2], vector);
        }
    }

    [Fact]
    public void Casts_convert_the_element_first()
    {
        var number = tensor(2.75);
        Assert.Equal(2.75f, (float)number);
        Assert.Equal(2.75, (double)number);
        Assert.Equal(2, (int)number);
        Assert.Equal(2L, (long)number);
        Assert.Equal((byte)2, (byte)number);
        Assert.True((bool)number);
        Assert.Throws<ArgumentException>(() => (float)Vector(1, 2));
    }
}
