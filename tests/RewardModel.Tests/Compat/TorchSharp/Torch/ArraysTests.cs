using static RewardModel.Tests.Compat.Values;
using static TorchSharp.torch;

namespace RewardModel.Tests.Compat;

public sealed class ArraysTests
{
    [Fact]
    public void Numbers()
    {
        (Tensor Tensor, ScalarType Type)[] tensors =
        [
            (tensor(1f), ScalarType.Float32), (tensor(1d), ScalarType.Float64), (tensor(1), ScalarType.Int32),
            (tensor(1L), ScalarType.Int64), (tensor(true), ScalarType.Bool), (tensor(1d, ScalarType.BFloat16), ScalarType.BFloat16),
        ];
        foreach (var (number, type) in tensors)
        {
            Assert.Equal(type, number.dtype);
            AreEqual([1], [], number);
        }
    }

    [Fact]
    public void Arrays_and_lists()
    {
        (Tensor Tensor, ScalarType Type)[] tensors =
        [
            (tensor(new[] { 1f, 0f }), ScalarType.Float32), (tensor(new[] { 1d, 0d }), ScalarType.Float64),
            (tensor(new[] { 1, 0 }), ScalarType.Int32), (tensor(new[] { 1L, 0L }), ScalarType.Int64),
            (tensor(new[] { true, false }), ScalarType.Bool), (tensor(new List<float> { 1, 0 }), ScalarType.Float32),
            (tensor(new List<int> { 1, 0 }), ScalarType.Int32), (tensor(new List<long> { 1, 0 }), ScalarType.Int64),
            (tensor(new[] { 1, 0 }, ScalarType.Float16), ScalarType.Float16),
        ];
        foreach (var (vector, type) in tensors)
        {
            Assert.Equal(type, vector.dtype);
            AreEqual([1, 0], [2], vector);
        }
        AreEqual([], [0], tensor(Array.Empty<float>()));
    }

    [Fact]
    public void Rectangles()
    {
        AreEqual([1, 2, 3, 4], [2, 2], tensor(new float[,] { { 1, 2 }, { 3, 4 } }));
        AreEqual([1, 2, 3, 4], [2, 2], tensor(new double[,] { { 1, 2 }, { 3, 4 } }));
        AreEqual([1, 2, 3, 4], [2, 2], tensor(new int[,] { { 1, 2 }, { 3, 4 } }));
        AreEqual([1, 2, 3, 4], [2, 2], tensor(new long[,] { { 1, 2 }, { 3, 4 } }));
        AreEqual([1, 0], [2, 1], tensor(new[,] { { true }, { false } }));
        AreEqual([1, 2, 3, 4], [2, 2], tensor(new List<float> { 1, 2, 3, 4 }, 2, 2));
        AreEqual([1, 2, 3, 4], [4, 1], tensor(new List<int> { 1, 2, 3, 4 }, 4, 1));
        AreEqual([1, 2, 3, 4], [1, 4], tensor(new List<long> { 1, 2, 3, 4 }, 1, 4));
        Assert.Equal(
            "3 elements can't fill a tensor of shape [2, 2]",
            Assert.Throws<ArgumentException>(() => tensor(new List<float> { 1, 2, 3 }, 2, 2)).Message);
    }

    [Fact]
    public void The_array_is_copied()
    {
        float[] array = [1, 2];
        var copy = tensor(array);
        array[0] = 9;
        AreEqual([1, 2], copy);
    }
}
