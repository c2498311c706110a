namespace RewardModel.Training.Evaluation;

/// <summary>Where the rewards of reference answers are: at 0, where a model was normalised by them.</summary>
/// <param name="Name">What they were read from.</param>
/// <param name="Count">How many there are.</param>
/// <param name="Mean">The mean of their rewards.</param>
/// <param name="StandardDeviation">Their standard deviation (the population's).</param>
/// <param name="Drift">
/// The mean in standard deviations of the evaluated rewards: how far from 0 the references are. NaN where these don't vary.
/// </param>
/// <param name="ShareAbove">The share of evaluated answers with rewards above that mean.</param>
public sealed record ReferenceDrift(string Name, int Count, double Mean, double StandardDeviation, double Drift, double ShareAbove)
{
    /// <summary>Compares the rewards of references with those of evaluated answers.</summary>
    /// <param name="name">What the references were read from.</param>
    /// <param name="references">Their rewards, at least one.</param>
    /// <param name="lists">The evaluated lists.</param>
    internal static ReferenceDrift Of(string name, IReadOnlyCollection<float> references, IReadOnlyList<ScoredList> lists)
    {
        var (mean, deviation, _) = MomentsOf(references);
        var (_, evaluatedDeviation, evaluatedCount) = MomentsOf(lists.SelectMany(list => list.Rewards));
        double aboveCount = lists.Sum(list => list.Rewards.LongCount(reward => reward > mean));
        return new ReferenceDrift(
            name, references.Count, mean, deviation, evaluatedDeviation > 0 ? mean / evaluatedDeviation : double.NaN,
            aboveCount / evaluatedCount);
    }

    private static (double Mean, double Deviation, long Count) MomentsOf(IEnumerable<float> rewards)
    {
        // Welford's update, as of the metrics.
        var (mean, squares, count) = (0.0, 0.0, 0L);
        foreach (var reward in rewards)
        {
            count++;
            var deviation = reward - mean;
            mean += deviation / count;
            squares += deviation * (reward - mean);
        }
        return (mean, Math.Sqrt(squares / count), count);
    }
}
