namespace PreferencePairs;

/// <summary>What became pairs and what did not, and whether longer answers were chosen.</summary>
/// <param name="minMargin">The least difference of rewards.</param>
internal sealed class PairCounts(double minMargin)
{
    private int singleCount, tieCount, closeCount, writtenCount, longerCount, shorterCount;
    private double marginSum;

    public void AddSingle() => singleCount++;

    /// <summary>Counts a pair, and says whether it is to be written.</summary>
    public bool Add(string chosen, string rejected, float chosenReward, float rejectedReward)
    {
        var margin = (double)chosenReward - rejectedReward;
        if (margin == 0)
            tieCount++;
        else if (margin < minMargin)
            closeCount++;
        else
        {
            writtenCount++;
            marginSum += margin;
            longerCount += chosen.Length > rejected.Length ? 1 : 0;
            shorterCount += chosen.Length < rejected.Length ? 1 : 0;
            return true;
        }
        return false;
    }

    public void Print()
    {
        Console.WriteLine(FormattableString.Invariant(
            $"{writtenCount} pairs written, with a mean margin of {marginSum / Math.Max(1, writtenCount):F4}"));
        Console.WriteLine(FormattableString.Invariant(
            $"skipped: {tieCount} ties, {closeCount} with a margin below {minMargin}, {singleCount} prompts with one answer"));
        var unequalCount = longerCount + shorterCount;
        if (unequalCount == 0)
            return;
        var share = (double)longerCount / unequalCount;
        Console.WriteLine(FormattableString.Invariant(
            $"chosen is longer than rejected in {100 * share:F1} % of {unequalCount} pairs of unequal length"));
        // More than a coin that is thrown as often gives in 39 of 40 cases, and enough to matter.
        if (share > Math.Max(0.55, 0.5 + 1 / Math.Sqrt(unequalCount)))
            Console.WriteLine(
                "Warning: longer answers are preferred. DPO makes answers longer on such pairs (arXiv 2403.19159). Look whether the "
                + "reward model prefers longer answers of equal quality, too.");
    }
}
