using RewardModel.Training.Metrics;

namespace RewardModel.Training.Evaluation;

/// <summary>How rewards are distributed. Quantiles are those of numpy's default: linear between the nearest values.</summary>
/// <param name="Quantile05">5 % of all rewards are below.</param>
/// <param name="Quantile25">25 %.</param>
/// <param name="Median">50 %.</param>
/// <param name="Quantile75">75 %.</param>
/// <param name="Quantile95">95 %.</param>
/// <param name="Rewards">All rewards, in bins.</param>
/// <param name="Differences">r_better - r_worse of all pairs, in bins of which one begins at 0; those below 0 are wrong.</param>
/// <param name="WithinListDeviation">
/// The root of the mean variance of rewards within lists of two answers or more: what the ranking has to do with.
/// </param>
public sealed record RewardDistribution(
    double Quantile05, double Quantile25, double Median, double Quantile75, double Quantile95,
    IReadOnlyList<HistogramBin> Rewards, IReadOnlyList<HistogramBin> Differences, double WithinListDeviation)
{
    /// <summary>The distribution of scored lists; null without answers.</summary>
    internal static RewardDistribution? Of(ScoredLists lists)
    {
        double[] rewards = [.. lists.All.SelectMany(list => list.Rewards).Select(reward => (double)reward)];
        if (rewards.Length == 0)
            return null;
        Array.Sort(rewards);
        double QuantileOf(double share) => Quantile.Of<double>(rewards, share);
        return new RewardDistribution(
            QuantileOf(0.05), QuantileOf(0.25), QuantileOf(0.5), QuantileOf(0.75), QuantileOf(0.95), Histogram.Of(rewards),
            Histogram.OfDifferences(lists.Differences), DeviationWithin(lists.All.Select(list => list.Rewards)));
    }

    /// <summary>The root of the mean variance (the population's) within lists of two answers or more; NaN where there is none.</summary>
    internal static double DeviationWithin(IEnumerable<IReadOnlyList<float>> rewards)
    {
        var (sum, count) = (0.0, 0L);
        foreach (var list in rewards.Where(list => list.Count > 1))
        {
            var mean = list.Average(reward => (double)reward);
            sum += list.Average(reward => (reward - mean) * (reward - mean));
            count++;
        }
        return Math.Sqrt(sum / count);
    }
}

/// <summary>How many numbers lie in an interval.</summary>
/// <param name="Low">Its lower end, which is in it.</param>
/// <param name="High">Its upper end, which is in the next one but for the last one.</param>
/// <param name="Count">How many.</param>
public readonly record struct HistogramBin(double Low, double High, long Count);
