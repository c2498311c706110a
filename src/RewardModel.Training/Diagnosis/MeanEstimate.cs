namespace RewardModel.Training.Diagnosis;

/// <summary>The mean of numbers that are finite, and how far it may be off.</summary>
/// <param name="Count">How many numbers there are.</param>
/// <param name="Mean">The mean; NaN without numbers.</param>
/// <param name="StandardError">Its standard error; infinite for fewer than two numbers.</param>
internal readonly record struct MeanEstimate(int Count, double Mean, double StandardError)
{
    /// <summary>Of some numbers; those that are not finite are left out.</summary>
    public static MeanEstimate Of(IEnumerable<double> values)
    {
        double[] finite = [.. values.Where(double.IsFinite)];
        if (finite.Length == 0)
            return new MeanEstimate(0, double.NaN, double.PositiveInfinity);
        var mean = finite.Average();
        return new MeanEstimate(
            finite.Length, mean,
            finite.Length == 1
                ? double.PositiveInfinity
                : Math.Sqrt(finite.Sum(value => (value - mean) * (value - mean)) / (finite.Length - 1) / finite.Length));
    }

    /// <summary>The standard error of the difference of two means of independent numbers.</summary>
    public double ErrorOfDifference(MeanEstimate other) =>
        Math.Sqrt(StandardError * StandardError + other.StandardError * other.StandardError);
}
