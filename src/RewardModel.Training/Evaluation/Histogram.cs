using RewardModel.Training.Metrics;

namespace RewardModel.Training.Evaluation;

/// <summary>
/// Puts numbers into bins of the same width: twice their interquartile range over the cube root of their count (Freedman and Diaconis, "On
/// the histogram as a density estimator", 1981), but at least 10 and at most 60 bins.
/// </summary>
internal static class Histogram
{
    private const int fewestBins = 10;
    private const int mostBins = 60;

    /// <summary>Bins from the lowest number to the highest one; one bin where all are the same.</summary>
    /// <param name="sorted">Finite numbers in ascending order, at least one.</param>
    public static HistogramBin[] Of(double[] sorted)
    {
        double low = sorted[0], high = sorted[^1];
        if (low == high)
            return [new HistogramBin(low, high, sorted.Length)];
        var count = BinCount(sorted, high - low, mostBins);
        return Counted(sorted, [.. Enumerable.Range(0, count).Select(i => low + (high - low) * i / count), high]);
    }

    /// <summary>Bins of which one begins at 0, from the lowest number or 0 to the highest one or beyond 0.</summary>
    /// <param name="sorted">Finite numbers in ascending order; none have no bins.</param>
    public static HistogramBin[] OfDifferences(double[] sorted)
    {
        if (sorted.Length == 0)
            return [];
        double low = Math.Min(0, sorted[0]), high = Math.Max(0, sorted[^1]);
        if (low == high)
            return [new HistogramBin(0, 0, sorted.Length)];
        // An edge at 0 and a bin from there on need up to two bins more.
        var width = (high - low) / BinCount(sorted, high - low, mostBins - 2);
        var (belowCount, aboveCount) = ((int)Math.Ceiling(-low / width), Math.Max(1, (int)Math.Ceiling(high / width)));
        double[] edges = [.. Enumerable.Range(-belowCount, belowCount + aboveCount + 1).Select(i => i * width)];
        // Rounding may leave the outermost numbers just outside.
        edges[0] = Math.Min(edges[0], low);
        edges[^1] = Math.Max(edges[^1], high);
        return Counted(sorted, edges);
    }

    private static int BinCount(double[] sorted, double range, int most)
    {
        var width = 2 * (Quantile.Of<double>(sorted, 0.75) - Quantile.Of<double>(sorted, 0.25)) / Math.Cbrt(sorted.Length);
        return width > 0 ? (int)Math.Clamp(Math.Ceiling(range / width), fewestBins, most) : fewestBins;
    }

    private static HistogramBin[] Counted(double[] sorted, double[] edges)
    {
        var bins = new HistogramBin[edges.Length - 1];
        var start = 0;
        for (var bin = 0; bin < bins.Length; bin++)
        {
            var end = start;
            while (end < sorted.Length && (sorted[end] < edges[bin + 1] || bin == bins.Length - 1))
                end++;
            bins[bin] = new HistogramBin(edges[bin], edges[bin + 1], end - start);
            start = end;
        }
        return bins;
    }
}
