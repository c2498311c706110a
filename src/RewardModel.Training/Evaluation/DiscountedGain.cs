namespace RewardModel.Training.Evaluation;

/// <summary>Normalised discounted cumulative gain: <see cref="RewardEvaluation.Ndcg"/>.</summary>
internal static class DiscountedGain
{
    /// <summary>The mean over the lists with pairs; NaN where there are none.</summary>
    public static double Of(IReadOnlyList<ScoredList> lists)
    {
        var (sum, count) = (0.0, 0L);
        // What the places before one are worth together.
        var discounts = new List<double> { 0 };
        foreach (var list in lists.Where(list => list.HasPairs))
        {
            while (discounts.Count <= list.Rewards.Count)
                discounts.Add(discounts[^1] + 1 / Math.Log2(discounts.Count + 1));
            sum += OfList(list, discounts);
            count++;
        }
        return sum / count;
    }

    private static double OfList(ScoredList list, List<double> discounts)
    {
        var gains = ScoredList.LevelsOf(list.Ranking.Scores);
        int[] order = [.. Enumerable.Range(0, gains.Length).OrderByDescending(i => list.Rewards[i])];
        var found = 0.0;
        for (int start = 0, end; start < order.Length; start = end)
        {
            end = start;
            long gain = 0;
            while (end < order.Length && list.Rewards[order[end]] == list.Rewards[order[start]])
                gain += gains[order[end++]];
            // Each of the equal ones is at each of their places as often as the others.
            found += gain * (discounts[end] - discounts[start]) / (end - start);
        }
        var best = gains.OrderDescending().Select((gain, place) => gain * (discounts[place + 1] - discounts[place])).Sum();
        return found / best;
    }
}
