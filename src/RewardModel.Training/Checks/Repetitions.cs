namespace RewardModel.Training.Checks;

/// <summary>What lists have in common with each other.</summary>
/// <param name="lists">All lists.</param>
/// <param name="keys">For each the number of its prompt, or of its answers where all have the same prompt.</param>
/// <param name="near">Those that are nearly the same; null where they were not looked for.</param>
internal sealed class Repetitions(CheckedLists lists, int[] keys, NearLists? near)
{
    private const int fewestPromptsOfBoilerplate = 5;

    /// <summary>Lists that are the same as one before them.</summary>
    public DataCount DuplicateLists()
    {
        var (tally, before) = (new Tally(), new HashSet<ulong>());
        for (var list = 0; list < keys.Length; list++)
            tally.AddIf(!before.Add(lists.HashOf(list)), lists.SourceOf(list));
        return tally.Of(keys.Length);
    }

    /// <summary>Lists whose prompt others have too.</summary>
    public DataCount SharedPrompts()
    {
        var (tally, counts) = (new Tally(), keys.CountBy(key => key).ToDictionary());
        for (var list = 0; list < keys.Length; list++)
            tally.AddIf(counts[keys[list]] > 1, lists.SourceOf(list));
        return tally.Of(keys.Length);
    }

    /// <summary>Lists in clusters of several prompts; null where they were not looked for.</summary>
    public DataCount? NearDuplicates()
    {
        if (near is null)
            return null;
        var (tally, keyOf, mixed) = (new Tally(), new Dictionary<int, int>(), new HashSet<int>());
        for (var list = 0; list < keys.Length; list++)
            if (!keyOf.TryAdd(near.Clusters[list], keys[list]) && keyOf[near.Clusters[list]] != keys[list])
                mixed.Add(near.Clusters[list]);
        for (var list = 0; list < keys.Length; list++)
            tally.AddIf(mixed.Contains(near.Clusters[list]), lists.SourceOf(list));
        return tally.Of(keys.Length);
    }

    /// <summary>Lists of the largest cluster; null where they were not looked for.</summary>
    public int? LargestCluster() => near?.Clusters.CountBy(cluster => cluster).Select(cluster => cluster.Value).DefaultIfEmpty().Max();

    /// <summary>Answers that are used under many prompts.</summary>
    public DataCount Boilerplate()
    {
        var (hashes, uses) = (new ulong[lists.AnswerCount], new int[lists.AnswerCount]);
        for (int list = 0, next = 0; list < lists.Count; list++)
            foreach (var answer in lists.AnswersOf(list))
                (hashes[next], uses[next++]) = (answer.Hash, list);
        Array.Sort(hashes, uses);
        var tally = new Tally();
        for (int start = 0, end; start < hashes.Length; start = end)
        {
            end = start + 1;
            while (end < hashes.Length && hashes[end] == hashes[start])
                end++;
            var users = new ArraySegment<int>(uses, start, end - start);
            if (users.Count >= fewestPromptsOfBoilerplate && users.Select(list => keys[list]).Distinct().Count() >= fewestPromptsOfBoilerplate)
                tally.Add(lists.SourceOf(users.Min()), users.Count);
        }
        return tally.Of(lists.AnswerCount);
    }

    /// <summary>What the sides of a split have in common; null where no list is held out.</summary>
    public DataSplitReport? Split(IReadOnlyList<bool> isHeldOut)
    {
        int[] train = [.. Enumerable.Range(0, keys.Length).Where(list => !isHeldOut[list])];
        int[] heldOut = [.. Enumerable.Range(0, keys.Length).Where(list => isHeldOut[list])];
        if (heldOut.Length == 0)
            return null;
        var trainKeys = train.Select(list => keys[list]).ToHashSet();
        HashSet<ulong> trainTexts = near is null ? [] : [.. train.Select(near.NormalizedOf)];
        HashSet<int> trainClusters = near is null ? [] : [.. train.Select(list => near.Clusters[list])];
        var (leak, leakButForSpace, nearLeak) = (new Tally(), new Tally(), new Tally());
        foreach (var list in heldOut)
            if (trainKeys.Contains(keys[list]))
                leak.Add(lists.SourceOf(list));
            else if (near is not null)
            {
                leakButForSpace.AddIf(trainTexts.Contains(near.NormalizedOf(list)), lists.SourceOf(list));
                nearLeak.AddIf(trainClusters.Contains(near.Clusters[list]), lists.SourceOf(list));
            }
        return new DataSplitReport
        {
            TrainListCount = train.Length,
            HeldOutListCount = heldOut.Length,
            Leak = leak.Of(heldOut.Length),
            LeakButForSpaceAndCase = near is null ? null : leakButForSpace.Of(heldOut.Length),
            NearLeak = near is null ? null : nearLeak.Of(heldOut.Length),
        };
    }
}
