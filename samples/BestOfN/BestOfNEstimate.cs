namespace BestOfN;

/// <summary>What the choice among n answers by their rewards brings, told of more answers than n without drawing any at random.</summary>
internal static class BestOfNEstimate
{
    /// <summary>
    /// The mean over all sets of n answers of the value that the one with the highest reward has; of equal rewards any may be chosen.
    /// Without bias, and with less noise than one set (arXiv 2112.09332).
    /// </summary>
    /// <param name="rewards">The rewards of at least n answers.</param>
    /// <param name="values">What is asked of the chosen answer: its reward itself, or its true quality.</param>
    /// <param name="n">How many answers are chosen from.</param>
    public static double Expected(IReadOnlyList<float> rewards, IReadOnlyList<double> values, int n)
    {
        // Of answers with equal rewards each has their mean value.
        double[] sorted =
            [.. Enumerable.Range(0, rewards.Count).GroupBy(i => rewards[i]).OrderBy(equal => equal.Key)
                .SelectMany(equal => Enumerable.Repeat(equal.Average(i => values[i]), equal.Count()))];
        // The answer of rank i of K, counted from 1, is the highest of C(i - 1, n - 1) of the C(K, n) sets: of n / K of them where i is K,
        // and of (i - n) / (i - 1) times as many where it is one less.
        var expected = 0.0;
        var share = (double)n / sorted.Length;
        for (var rank = sorted.Length; rank >= n; rank--)
        {
            expected += share * sorted[rank - 1];
            if (rank > 1)
                share *= (double)(rank - n) / (rank - 1);
        }
        return expected;
    }

    /// <summary>
    /// How far the best of n answers is from a single one of the same policy, as the KL divergence in nats: log n - (n - 1) / n (arXiv
    /// 2009.01325). It is an upper bound, which holds exactly where no two answers are the same (arXiv 2401.01879).
    /// </summary>
    public static double KlDivergence(int n) => Math.Log(n) - (n - 1.0) / n;

    /// <summary>1, 2, 4, ... up to a number, and this itself.</summary>
    public static IEnumerable<int> Sizes(int largest)
    {
        for (var n = 1; n < largest; n *= 2)
            yield return n;
        yield return largest;
    }
}
