namespace RewardModel.Training.Checks;

/// <summary>Counts lengths: as much memory as there are different ones.</summary>
internal sealed class LengthCounts
{
    private readonly Dictionary<int, long> counts = [];
    private long all;

    public void Add(int length)
    {
        counts[length] = counts.GetValueOrDefault(length) + 1;
        all++;
    }

    /// <summary>Null where nothing was counted.</summary>
    public DataLengths? Percentiles()
    {
        if (all == 0)
            return null;
        var sorted = counts.OrderBy(pair => pair.Key).ToArray();
        return new DataLengths(At(0.5), At(0.9), At(0.99), sorted[^1].Key);

        // The smallest length that this share is not longer than.
        int At(double share)
        {
            long passed = 0;
            return sorted.First(pair => (passed += pair.Value) >= share * all).Key;
        }
    }
}
