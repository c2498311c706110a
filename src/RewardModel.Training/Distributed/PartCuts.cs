namespace RewardModel.Training.Distributed;

/// <summary>Where a row of parameters, one behind the other, is cut into one part for each rank.</summary>
internal static class PartCuts
{
    /// <summary>
    /// Parts of nearly the same size. A parameter is cut at multiples of its granule only, so parts differ from the mean by less than the
    /// largest granule; some may be empty.
    /// </summary>
    /// <param name="lengths">Elements of each parameter.</param>
    /// <param name="granules">Of each parameter: elements that stay together; at least 1.</param>
    /// <param name="ranks">Number of parts.</param>
    /// <returns>Where each rank's part ends, in elements of the row.</returns>
    public static long[] Of(IReadOnlyList<long> lengths, IReadOnlyList<long> granules, int ranks)
    {
        var total = lengths.Sum();
        var ends = new long[ranks];
        var (parameter, start) = (0, 0L);
        for (var rank = 0; rank < ranks; rank++)
        {
            var target = (long)((Int128)total * (rank + 1) / ranks);
            while (parameter < lengths.Count && start + lengths[parameter] <= target)
                start += lengths[parameter++];
            // The nearest cut; of two that are as near, the one before.
            var granule = parameter < lengths.Count ? granules[parameter] : 1;
            var below = (target - start) / granule * granule;
            var above = parameter < lengths.Count ? Math.Min(below + granule, lengths[parameter]) : below;
            ends[rank] = start + (target - start - below <= above - (target - start) ? below : above);
        }
        return ends;
    }
}
