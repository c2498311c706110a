namespace RewardModel.Training.Evaluation;

/// <summary>What ties do to the accuracy.</summary>
/// <param name="EqualRewardPairCount">Pairs with different scores and equal rewards.</param>
/// <param name="AccuracyTiesWrong">The accuracy when these count as wrong, not one half.</param>
/// <param name="TiedPairCount">Pairs with equal scores, of answers that are not equal.</param>
/// <param name="ThreeWayAccuracy">
/// The share of all pairs, tied ones included, that are put into the right one of three classes (better, worse, tied), where rewards no more
/// than <paramref name="Threshold"/> apart are a tie (Deutsch et al., "Ties Matter", arXiv 2305.14324, section 5).
/// </param>
/// <param name="Threshold">The lowest difference of rewards that gives the highest such share on these pairs: 0, or that of a tied pair.</param>
public sealed record TieAccuracy(
    long EqualRewardPairCount, double AccuracyTiesWrong, long TiedPairCount, double ThreeWayAccuracy, double Threshold)
{
    /// <summary>What ties do on scored lists; null where neither scores nor rewards have any. Needs eight bytes of memory for each pair.</summary>
    internal static TieAccuracy? Of(IReadOnlyList<ScoredList> lists)
    {
        List<double> right = [], tied = [];
        long pairCount = 0, equalCount = 0;
        foreach (var list in lists)
            for (var i = 0; i < list.Rewards.Count; i++)
                for (var j = 0; j < i; j++)
                {
                    var difference = (double)list.Rewards[i] - list.Rewards[j];
                    var order = list.Ranking.Scores[i].CompareTo(list.Ranking.Scores[j]);
                    if (list.Ranking.AreEqual(i, j))
                        continue;
                    if (order == 0)
                    {
                        tied.Add(Math.Abs(difference));
                        continue;
                    }
                    pairCount++;
                    if (difference == 0)
                        equalCount++;
                    else if (difference > 0 == order > 0)
                        right.Add(Math.Abs(difference));
                }
        if (equalCount == 0 && tied.Count == 0)
            return null;
        var (best, threshold) = BestThreshold(right, tied);
        return new TieAccuracy(
            equalCount, (double)right.Count / pairCount, tied.Count, (double)best / (pairCount + tied.Count), threshold);
    }

    /// <summary>The most pairs that any threshold puts right. Between two tied pairs a higher one only loses right pairs.</summary>
    private static (long Count, double Threshold) BestThreshold(List<double> right, List<double> tied)
    {
        right.Sort();
        tied.Sort();
        var best = (Count: -1L, Threshold: 0.0);
        int rightAtMost = 0, tiedAtMost = 0;
        foreach (var threshold in tied.Prepend(0))
        {
            while (tiedAtMost < tied.Count && tied[tiedAtMost] <= threshold)
                tiedAtMost++;
            while (rightAtMost < right.Count && right[rightAtMost] <= threshold)
                rightAtMost++;
            var count = (long)tiedAtMost + right.Count - rightAtMost;
            if (count > best.Count)
                best = (count, threshold);
        }
        return best;
    }
}
