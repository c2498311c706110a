using RewardModel.Training.Data;

namespace RewardModel.Training.Metrics;

/// <summary>
/// 95 % intervals by the bootstrap over prompts (Efron, "Bootstrap methods: another look at the jackknife", Annals of Statistics 7, 1979):
/// prompts are drawn with replacement, each with all of its pairs, which depend on each other, and the interval reaches from the 2.5 % to
/// the 97.5 % quantile of what the samples give.
/// </summary>
internal static class Bootstrap
{
    /// <summary>How often as many prompts as there are are drawn.</summary>
    public const int SampleCount = 10_000;

    /// <summary>More prompts are drawn in as many groups, made at random: that changes the width of the interval by about 1 %.</summary>
    private const int mostGroups = 10_000;

    /// <summary>The interval of a share of right pairs.</summary>
    /// <param name="prompts">
    /// Of each prompt how many pairs are right, halves for equal rewards, and how many there are, at least one.
    /// </param>
    /// <param name="seed">Decides what is drawn.</param>
    /// <returns>
    /// That of <see cref="AccuracyInterval"/> where samples cannot differ: of one prompt, or where all pairs are right, or all wrong. NaN
    /// without prompts.
    /// </returns>
    public static (double Low, double High) Interval(IReadOnlyList<(double Right, long Pairs)> prompts, ulong seed)
    {
        var (right, pairs) = Sum(prompts);
        if (prompts.Count < 2 || right == 0 || right == pairs)
            return AccuracyInterval.Of(prompts);
        var shares = SampledShares(prompts, seed);
        return (Quantile.Of(shares, 0.025), Quantile.Of(shares, 0.975));
    }

    /// <summary>How much more of the pairs one model puts right than another one, on the same pairs of the same prompts.</summary>
    /// <param name="prompts">
    /// Of each prompt how many pairs are right by either model, halves for equal rewards, and how many there are, at least one.
    /// </param>
    /// <param name="seed">Decides what is drawn.</param>
    /// <remarks>
    /// Both models' pairs of a prompt are drawn together, so what is hard for both cancels out (Efron and Tibshirani, "An Introduction to
    /// the Bootstrap", 1993, chapter 8). The p-value is twice the smaller one of (1 + number of samples with a difference of 0 or less) /
    /// (1 + number of samples) and the same of 0 or more, at most 1: where it is below 0.05, the interval has no 0 in it (Davison and
    /// Hinkley, "Bootstrap Methods and their Application", 1997, chapter 4). Where samples cannot differ, of one prompt or where the
    /// difference is the same in all, the ends of both models' own intervals are combined (square-and-add: Newcombe, "Interval estimation
    /// for the difference between independent proportions", Statistics in Medicine 17, 1998, method 10, which is wide for models on the
    /// same pairs), and the p-value is that of the sign test over prompts.
    /// </remarks>
    public static PairedDifference Difference(IReadOnlyList<(double Right, double OtherRight, long Pairs)> prompts, ulong seed)
    {
        if (prompts.Count == 0)
            return new(double.NaN, double.NaN, double.NaN, double.NaN);
        (double Right, long Pairs)[] differences = [.. prompts.Select(prompt => (prompt.Right - prompt.OtherRight, prompt.Pairs))];
        var (sum, pairs) = Sum(differences);
        var difference = sum / pairs;
        if (prompts.Count < 2 || differences.All(prompt => prompt.Right * pairs == sum * prompt.Pairs))
            return WithoutSamples(prompts, difference);
        var samples = SampledShares(differences, seed);
        var notAbove = samples.Count(sample => sample <= 0);
        var notBelow = samples.Count(sample => sample >= 0);
        var probability = Math.Min(1, 2 * (1.0 + Math.Min(notAbove, notBelow)) / (1 + SampleCount));
        return new(difference, Quantile.Of(samples, 0.025), Quantile.Of(samples, 0.975), probability);
    }

    private static PairedDifference WithoutSamples(IReadOnlyList<(double Right, double OtherRight, long Pairs)> prompts, double difference)
    {
        var (share, low, high) = Own(prompts.Select(prompt => (prompt.Right, prompt.Pairs)));
        var (otherShare, otherLow, otherHigh) = Own(prompts.Select(prompt => (prompt.OtherRight, prompt.Pairs)));
        return new(
            difference,
            Math.Max(-1, difference - Math.Sqrt(Math.Pow(share - low, 2) + Math.Pow(otherHigh - otherShare, 2))),
            Math.Min(1, difference + Math.Sqrt(Math.Pow(high - share, 2) + Math.Pow(otherShare - otherLow, 2))),
            difference == 0 ? 1 : Math.Pow(2, 1 - prompts.Count));

        static (double Share, double Low, double High) Own(IEnumerable<(double Right, long Pairs)> prompts)
        {
            (double Right, long Pairs)[] all = [.. prompts];
            var (right, pairs) = Sum(all);
            var (low, high) = AccuracyInterval.Of(all);
            return (right / pairs, low, high);
        }
    }

    /// <summary>
    /// The shares of all samples, in ascending order. Each sample has a generator of its own, so that threads make no difference.
    /// </summary>
    private static double[] SampledShares(IReadOnlyList<(double Right, long Pairs)> prompts, ulong seed)
    {
        var random = new SplitMix64(seed);
        var groups = Grouped(prompts, random);
        var seeds = new ulong[SampleCount];
        for (var sample = 0; sample < SampleCount; sample++)
            seeds[sample] = random.Next();
        var shares = new double[SampleCount];
        Parallel.For(0, SampleCount, sample => shares[sample] = ShareOf(groups, new SplitMix64(seeds[sample])));
        Array.Sort(shares);
        return shares;
    }

    private static double ShareOf((double Right, double Pairs)[] groups, SplitMix64 random)
    {
        var (right, pairs) = (0.0, 0.0);
        var count = (ulong)groups.Length;
        for (var drawn = 0; drawn < groups.Length; drawn++)
        {
            // The upper half of a 64-bit product: of 10,000 groups none is likelier than another by more than one in 10^5.
            var group = groups[(int)((random.Next() >> 32) * count >> 32)];
            right += group.Right;
            pairs += group.Pairs;
        }
        return right / pairs;
    }

    private static (double Right, double Pairs)[] Grouped(IReadOnlyList<(double Right, long Pairs)> prompts, SplitMix64 random)
    {
        if (prompts.Count <= mostGroups)
            return [.. prompts.Select(prompt => (prompt.Right, (double)prompt.Pairs))];
        var order = SplitMix64.Permutation(prompts.Count, random.Next());
        var groups = new (double Right, double Pairs)[mostGroups];
        for (var i = 0; i < order.Length; i++)
        {
            var (right, pairs) = prompts[order[i]];
            ref var group = ref groups[i % mostGroups];
            group = (group.Right + right, group.Pairs + pairs);
        }
        return groups;
    }

    private static (double Right, long Pairs) Sum(IReadOnlyList<(double Right, long Pairs)> prompts)
    {
        var (right, pairs) = (0.0, 0L);
        foreach (var prompt in prompts)
            (right, pairs) = (right + prompt.Right, pairs + prompt.Pairs);
        return (right, pairs);
    }
}

/// <summary>How two models differ on the same pairs.</summary>
/// <param name="Difference">The accuracy of the first, less that of the other one.</param>
/// <param name="Low">The lower end of its 95 % interval.</param>
/// <param name="High">The upper end.</param>
/// <param name="Probability">The two-sided p-value: how likely so large a difference would be of models that are equally good.</param>
internal readonly record struct PairedDifference(double Difference, double Low, double High, double Probability);
