namespace RewardModel.Training.Sweeps;

/// <summary>An option whose values are tried.</summary>
/// <param name="Name">Its name, as in run files.</param>
/// <param name="Values">The values as texts; empty where there is a range.</param>
/// <param name="Range">Numbers that are drawn from; null where there are values.</param>
internal sealed record VariedOption(string Name, IReadOnlyList<string> Values, ValueRange? Range);

/// <summary>Numbers that are drawn from, evenly.</summary>
/// <param name="From">The lowest.</param>
/// <param name="To">The highest.</param>
/// <param name="IsLogarithmic">Whether their logarithms are even.</param>
/// <param name="IsWhole">Whether they are whole numbers.</param>
internal sealed record ValueRange(double From, double To, bool IsLogarithmic, bool IsWhole)
{
    /// <summary>The number at a place from 0 to 1.</summary>
    public double At(double place)
    {
        // Whole numbers have what is rounded to them, the first and the last one as well.
        var (low, high) = IsWhole ? (From - 0.5, To + 0.5) : (From, To);
        var value = IsLogarithmic ? Math.Exp(Math.Log(low) + place * (Math.Log(high) - Math.Log(low))) : low + place * (high - low);
        return Math.Clamp(IsWhole ? Math.Round(value) : value, From, To);
    }
}
