using static TorchSharp.torch;

namespace RewardModel.Tests.Compat;

/// <summary>Reads tensors back for assertions.</summary>
internal static class Values
{
    /// <summary>The elements, row by row, as doubles.</summary>
    public static double[] Of(Tensor? tensor)
    {
        Assert.False(tensor is null);
        using var scope = NewDisposeScope();
        return tensor.to(ScalarType.Float64).contiguous().data<double>().ToArray();
    }

    /// <summary>The elements are these, exactly.</summary>
    public static void AreEqual(double[] expected, Tensor? actual) => Assert.Equal(expected, Of(actual));

    /// <summary>The shape is this, and the elements are these, exactly.</summary>
    public static void AreEqual(double[] expected, long[] shape, Tensor actual)
    {
        Assert.Equal(shape, actual.shape);
        AreEqual(expected, actual);
    }

    /// <summary>The elements are these, but for float32's rounding.</summary>
    public static void AreClose(double[] expected, Tensor actual)
    {
        var values = Of(actual);
        Assert.Equal(expected.Length, values.Length);
        for (var i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], values[i], 1e-6 * Math.Max(1, Math.Abs(expected[i])));
    }

    public static Tensor Vector(params float[] values) => tensor(values);

    public static Tensor Matrix() => tensor(new float[,] { { 1, 2, 3 }, { 4, 5, 6 } });
}
