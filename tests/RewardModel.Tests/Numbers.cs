namespace RewardModel.Tests;

/// <summary>Comparisons of many numbers.</summary>
internal static class Numbers
{
    /// <summary>The largest difference of two numbers in the same place; NaN if any is, which LINQ's Max would pass over.</summary>
    public static double LargestDifference(IReadOnlyList<float> expected, IReadOnlyList<float> found)
    {
        Assert.Equal(expected.Count, found.Count);
        double[] differences = [.. expected.Zip(found, (left, right) => Math.Abs((double)left - right))];
        return differences.Any(double.IsNaN) ? double.NaN : differences.DefaultIfEmpty().Max();
    }
}
