using RewardModel.Training.Metrics;

namespace RewardModel.Training.Evaluation;

/// <summary>Compares the model with what understands nothing.</summary>
internal static class BaselineComparisons
{
    /// <summary>Chance, both lengths, and the models that know a pair; none without pairs.</summary>
    /// <param name="lists">The lists.</param>
    /// <param name="metrics">The model's own accuracy with its interval.</param>
    /// <param name="models">Of each model its name and of each list its scores; null where they are not known.</param>
    /// <param name="seed">Decides what the bootstrap draws.</param>
    public static IReadOnlyList<BaselineComparison> Of(
        ScoredLists lists, RankingMetrics metrics, IReadOnlyList<(string Name, IReadOnlyList<float[]?> Scores)> models, ulong seed)
    {
        if (metrics.PairCount == 0)
            return [];
        return
        [
            // Chance is known, so that all that is not is the model's own accuracy.
            new("chance", 0.5, metrics.PairCount, metrics.Accuracy - 0.5, metrics.AccuracyLow - 0.5, metrics.AccuracyHigh - 0.5),
            .. Comparison("longer", PairedComparison.Of(lists, pair => LengthDifference(pair), seed)),
            .. Comparison("shorter", PairedComparison.Of(lists, pair => -LengthDifference(pair), seed)),
            .. models.SelectMany(model => Comparison(model.Name, PairedComparison.Of(lists, model.Scores, seed))),
        ];
    }

    private static double LengthDifference(ScoredPair pair) => (double)pair.Of.TokenCounts[pair.Better] - pair.Of.TokenCounts[pair.Worse];

    private static IEnumerable<BaselineComparison> Comparison(string name, PairedComparison? comparison)
    {
        if (comparison is { Difference: var difference })
            yield return new(name, comparison.OtherAccuracy, comparison.PairCount, difference.Difference, difference.Low, difference.High);
    }
}
