using RewardModel.Ranking;

namespace RewardModel.Training.Evaluation;

/// <summary>What an edit that changes no meaning does to the rewards of a sample of lists.</summary>
/// <param name="Edit">
/// <c>order</c> (the answers in the opposite order), <c>trailing-space</c> (a space and a line break after each answer) or
/// <c>double-spaces</c> (each space of an answer twice).
/// </param>
/// <param name="ListCount">The lists.</param>
/// <param name="MeanChange">The mean of the absolute changes of rewards.</param>
/// <param name="LargestChange">The largest one.</param>
/// <param name="RelativeChange">The mean change over the standard deviation of the rewards within lists; NaN where that is 0.</param>
/// <param name="ChangedPairShare">The share of pairs that the model then puts into another order; NaN without pairs.</param>
public sealed record ConsistencyCheck(
    string Edit, int ListCount, double MeanChange, double LargestChange, double RelativeChange, double ChangedPairShare)
{
    /// <summary>Compares rewards before and after an edit.</summary>
    /// <param name="edit">What the edit is called.</param>
    /// <param name="before">Of each list, at least one, the rewards of its answers as they are.</param>
    /// <param name="after">Those after the edit, in the order of the answers before it.</param>
    /// <param name="rankings">What the lists' pairs are.</param>
    internal static ConsistencyCheck Of(
        string edit, IReadOnlyList<IReadOnlyList<float>> before, IReadOnlyList<IReadOnlyList<float>> after, IReadOnlyList<RankingList> rankings)
    {
        var (sum, largest, answerCount) = (0.0, 0.0, 0L);
        var (changedCount, pairCount) = (0L, 0L);
        for (var list = 0; list < before.Count; list++)
            for (var i = 0; i < before[list].Count; i++)
            {
                var change = Math.Abs((double)after[list][i] - before[list][i]);
                sum += change;
                largest = Math.Max(largest, change);
                answerCount++;
                for (var j = 0; j < i; j++)
                    if (rankings[list].IsPair(i, j))
                    {
                        pairCount++;
                        if (before[list][i].CompareTo(before[list][j]) != after[list][i].CompareTo(after[list][j]))
                            changedCount++;
                    }
            }
        var deviation = RewardDistribution.DeviationWithin(before);
        return new ConsistencyCheck(
            edit, before.Count, sum / answerCount, largest, deviation > 0 ? sum / answerCount / deviation : double.NaN,
            (double)changedCount / pairCount);
    }
}
