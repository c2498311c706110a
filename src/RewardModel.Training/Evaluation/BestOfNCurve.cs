namespace RewardModel.Training.Evaluation;

/// <summary>
/// What one gains by letting the model choose among answers. The largest n is the largest one that a tenth of the lists with pairs, and at
/// least ten of them, have answers for (all, where there are fewer than ten), and the lists are these.
/// </summary>
/// <param name="IsOfRanks">
/// Whether scores say an order only; then an answer's score is the share of its list's other answers that it is better than, ties counting
/// one half.
/// </param>
/// <param name="ListCount">The lists, each of at least as many answers as the largest n.</param>
/// <param name="Points">For n = 1, 2, 4, ... and the largest n.</param>
public sealed record BestOfNCurve(bool IsOfRanks, int ListCount, IReadOnlyList<BestOfNPoint> Points)
{
    private const int enoughLists = 10;

    /// <summary>The curve of scored lists; null where none has a pair.</summary>
    internal static BestOfNCurve? Of(IReadOnlyList<ScoredList> lists)
    {
        ScoredList[] used = [.. lists.Where(list => list.HasPairs).OrderByDescending(list => list.Rewards.Count)];
        if (used.Length == 0)
            return null;
        var largest = used[Math.Min(used.Length, Math.Max(enoughLists, (used.Length + 9) / 10)) - 1].Rewards.Count;
        used = [.. used.TakeWhile(list => list.Rewards.Count >= largest)];
        var areRanks = used.Any(list => list.ScoresAreOrder);

        int[] sizes = [.. PowersOfTwoBelow(largest), largest];
        var sums = new (double Chosen, double Random, double Best)[sizes.Length];
        foreach (var list in used)
        {
            var scores = areRanks ? ScoredList.RankSharesOf(list.Ranking.Scores) : [.. list.Ranking.Scores];
            double[] byScore = [.. scores.Order()];
            var byReward = ScoresByReward(list.Rewards, scores);
            var mean = scores.Average();
            for (var i = 0; i < sizes.Length; i++)
            {
                // Of one answer there is no choice: not even rounding makes a difference.
                sums[i].Chosen += sizes[i] == 1 ? mean : MeanOfHighest(byReward, sizes[i]);
                sums[i].Random += mean;
                sums[i].Best += sizes[i] == 1 ? mean : MeanOfHighest(byScore, sizes[i]);
            }
        }
        return new BestOfNCurve(
            areRanks, used.Length,
            [.. sizes.Zip(sums, (n, sum) => new BestOfNPoint(n, sum.Chosen / used.Length, sum.Random / used.Length, sum.Best / used.Length))]);
    }

    private static IEnumerable<int> PowersOfTwoBelow(int end)
    {
        for (var n = 1; n < end; n *= 2)
            yield return n;
    }

    /// <summary>
    /// The scores from the lowest reward to the highest one; of equal rewards each has their mean, as any of them is as likely to be
    /// chosen.
    /// </summary>
    private static double[] ScoresByReward(IReadOnlyList<float> rewards, double[] scores)
    {
        int[] order = [.. Enumerable.Range(0, scores.Length).OrderBy(i => rewards[i])];
        var sorted = new double[order.Length];
        for (int start = 0, end; start < order.Length; start = end)
        {
            end = start;
            var sum = 0.0;
            while (end < order.Length && rewards[order[end]] == rewards[order[start]])
                sum += scores[order[end++]];
            Array.Fill(sorted, sum / (end - start), start, end - start);
        }
        return sorted;
    }

    /// <summary>
    /// The mean over all sets of n of K values of the one that is last in their order: that of place i, counted from 1, is last in
    /// C(i - 1, n - 1) of C(K, n) sets. For the last place that is n / K, and (i - n) / (i - 1) times as much for the place before i.
    /// </summary>
    private static double MeanOfHighest(double[] sorted, int n)
    {
        var mean = 0.0;
        var share = (double)n / sorted.Length;
        for (var place = sorted.Length; place >= n; place--)
        {
            mean += share * sorted[place - 1];
            if (place > 1)
                share *= (double)(place - n) / (place - 1);
        }
        return mean;
    }
}

/// <summary>The choice among n answers, in the mean over all sets of n answers of a list, and over lists.</summary>
/// <param name="N">How many answers there are to choose from.</param>
/// <param name="Chosen">The true score of the answer with the highest reward.</param>
/// <param name="Random">The mean true score.</param>
/// <param name="Best">The highest true score.</param>
public sealed record BestOfNPoint(int N, double Chosen, double Random, double Best)
{
    /// <summary>What is lost by following the model.</summary>
    public double Regret => Best - Chosen;
}
