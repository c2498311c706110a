namespace RewardModel.Training.Evaluation;

/// <summary>What ties do to the accuracy.</summary>
/// <param name="EqualRewardPairCount">Pairs with different scores and equal rewards.</param>
/// <param name="AccuracyTiesWrong">The accuracy when these count as wrong, not one half.</param>
/// <param name="TiedPairCount">Pairs with equal scores, of answers that are not equal.</param>
/// <param name="ThreeWayAccuracy">
/// The share of all pairs, tied ones included, that are put into the right one of three classes (better, worse, tied), where rewards no
/// more than <paramref name="Threshold"/> apart are a tie (Deutsch et al., "Ties Matter", arXiv 2305.14324, section 5).
/// </param>
/// <param name="Threshold">
/// The lowest difference of rewards that gives the highest such share on these pairs: 0, or that of a tied pair.
/// </param>
public sealed record TieAccuracy(
    long EqualRewardPairCount, double AccuracyTiesWrong, long TiedPairCount, double ThreeWayAccuracy, double Threshold)
{
    /// <summary>What ties do on scored lists; null where neither scores nor rewards have any.</summary>
    internal static TieAccuracy? Of(ScoredLists lists)
    {
        var differences = lists.Differences;
        var (wrongCount, notRightCount) = (CountBelow(differences, 0), CountBelow(differences, double.Epsilon));
        var tied = TiedPairsOf(lists.All);
        if (notRightCount == wrongCount && tied.Count == 0)
            return null;
        var right = differences.AsSpan(notRightCount);
        var (best, threshold) = BestThreshold(right, tied);
        return new TieAccuracy(
            notRightCount - wrongCount, (double)right.Length / differences.Length, tied.Count,
            (double)best / ((long)differences.Length + tied.Count), threshold);
    }

    private static int CountBelow(double[] sorted, double end)
    {
        var (low, high) = (0, sorted.Length);
        while (low < high)
        {
            var middle = low + (high - low) / 2;
            (low, high) = sorted[middle] < end ? (middle + 1, high) : (low, middle);
        }
        return low;
    }

    /// <summary>How far the rewards of answers with equal scores are apart, in ascending order.</summary>
    private static List<double> TiedPairsOf(IReadOnlyList<ScoredList> lists)
    {
        var tied = new List<double>();
        foreach (var list in lists)
            for (var i = 0; i < list.Rewards.Count; i++)
                for (var j = 0; j < i; j++)
                    if (list.Ranking.Scores[i] == list.Ranking.Scores[j] && !list.Ranking.AreEqual(i, j))
                        tied.Add(Math.Abs((double)list.Rewards[i] - list.Rewards[j]));
        tied.Sort();
        return tied;
    }

    /// <summary>The most pairs that any threshold puts right. Between two tied pairs a higher one only loses right pairs.</summary>
    private static (long Count, double Threshold) BestThreshold(ReadOnlySpan<double> right, List<double> tied)
    {
        var best = (Count: -1L, Threshold: 0.0);
        int rightAtMost = 0, tiedAtMost = 0;
        foreach (var threshold in tied.Prepend(0))
        {
            while (tiedAtMost < tied.Count && tied[tiedAtMost] <= threshold)
                tiedAtMost++;
            while (rightAtMost < right.Length && right[rightAtMost] <= threshold)
                rightAtMost++;
            var count = (long)tiedAtMost + right.Length - rightAtMost;
            if (count > best.Count)
                best = (count, threshold);
        }
        return best;
    }
}
