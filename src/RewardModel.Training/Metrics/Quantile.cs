using System.Numerics;

namespace RewardModel.Training.Metrics;

/// <summary>Quantiles as numpy's default has them: linear between the nearest values (Hyndman and Fan, 1996, definition 7).</summary>
internal static class Quantile
{
    /// <param name="sorted">Numbers in ascending order, at least one.</param>
    /// <param name="share">Which share of them lies below, from 0 to 1.</param>
    public static double Of<T>(ReadOnlySpan<T> sorted, double share)
        where T : INumberBase<T>
    {
        var place = share * (sorted.Length - 1);
        var below = (int)place;
        var low = double.CreateChecked(sorted[below]);
        var high = double.CreateChecked(sorted[Math.Min(below + 1, sorted.Length - 1)]);
        return low + (place - below) * (high - low);
    }
}
