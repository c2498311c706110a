namespace RewardModel.Tests;

/// <summary>Comparisons of many numbers.</summary>
internal static class Numbers
{
    /// <summary>Bits of a number's significand.</summary>
    public const int Float32 = 24, Bfloat16 = 8;

    /// <summary>
    /// The units that two ways to compute the same rewards, hidden states or losses of the tests' models may differ by: sums of up to 128
    /// products, one after another through two layers, are 256 roundings, and the square root of that is 16.
    /// </summary>
    public const double UnitsOfModels = 16;

    /// <summary>
    /// Asserts that numbers are the same but for rounding: each within some units in the last place of the largest of those expected.
    /// </summary>
    /// <remarks>
    /// Of the largest, because numbers of one computation are sums of parts about as large as it, however small they come out themselves.
    /// The units, because rounding errors have random signs: a chain of n roundings, each of at most half a unit, is off by about
    /// sqrt(n) / 2 units (Higham, "Accuracy and Stability of Numerical Algorithms", section 2.8), and two results that were rounded in
    /// different ways, in another order or by wider instructions, by sqrt(n). A caller says what n is.
    /// </remarks>
    public static void AssertEqualButForRounding(
        IReadOnlyList<float> expected, IReadOnlyList<float> found, double units, int significandBits = Float32)
    {
        var largest = expected.Max(value => Math.Abs((double)value));
        var unit = largest == 0 ? 0 : Math.ScaleB(1, Math.ILogB(largest) + 1 - significandBits);
        Assert.InRange(LargestDifference(expected, found), 0, units * unit);
    }

    /// <summary>The largest difference of two numbers in the same place; NaN if any is, which LINQ's Max would pass over.</summary>
    public static double LargestDifference(IReadOnlyList<float> expected, IReadOnlyList<float> found)
    {
        Assert.Equal(expected.Count, found.Count);
        double[] differences = [.. expected.Zip(found, (left, right) => Math.Abs((double)left - right))];
        return differences.Any(double.IsNaN) ? double.NaN : differences.DefaultIfEmpty().Max();
    }
}
