namespace BestOfN;

/// <summary>Expected rewards of the best of n answers for all n that lists have, added up list by list.</summary>
internal sealed class BestOfNCurve
{
    private readonly SortedDictionary<int, (int ListCount, double Expected, double Gain)> sums = [];

    /// <summary>Adds a list, for n = 1, 2, 4, ... and for all of its answers.</summary>
    public void Add(IReadOnlyList<float> rewards)
    {
        double[] values = [.. rewards.Select(reward => (double)reward)];
        foreach (var n in BestOfNEstimate.Sizes(rewards.Count))
        {
            var expected = BestOfNEstimate.Expected(rewards, values, n);
            var sum = sums.GetValueOrDefault(n);
            sums[n] = (sum.ListCount + 1, sum.Expected + expected, sum.Gain + expected - values.Average());
        }
    }

    /// <summary>
    /// Prints a row for each n: the mean over the lists that have it, which may be others for another n; what is gained over one answer of
    /// the same lists; the KL divergence from the policy that the answers came from.
    /// </summary>
    public void Print()
    {
        Console.WriteLine($"{"n",6} {"lists",8} {"reward",9} {"gain",9} {"KL",7}");
        foreach (var (n, (listCount, expected, gain)) in sums)
            Console.WriteLine(FormattableString.Invariant(
                $"{n,6} {listCount,8} {expected / listCount,9:F4} {gain / listCount,9:F4} {BestOfNEstimate.KlDivergence(n),7:F3}"));
    }
}
