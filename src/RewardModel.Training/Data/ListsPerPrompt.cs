using RewardModel.Lists;

namespace RewardModel.Training.Data;

/// <summary>Keeps at most so many lists of a prompt, so that a few prompts of many lists are not most of what is learned.</summary>
internal static class ListsPerPrompt
{
    /// <summary>
    /// Chooses the lists at random, by their content and the seed: in whatever order they are, and whatever other prompts there are, the same
    /// ones are kept.
    /// </summary>
    /// <param name="lists">All lists.</param>
    /// <param name="most">How many of a prompt are kept, from 1.</param>
    /// <param name="seed">Decides which.</param>
    /// <returns>The kept lists' indices, in their order, and how many others there are.</returns>
    public static (int[] Kept, int DroppedCount) Limit(IReadOnlyList<TokenizedList> lists, int most, ulong seed)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(most, 1);
        var ranked = new (UInt128 Prompt, ulong Rank, int Index)[lists.Count];
        for (var i = 0; i < ranked.Length; i++)
        {
            var info = lists.InfoOf(i);
            ranked[i] = (info.Prompt, SplitMix64.Mix(SplitMix64.Mix(seed) + (ulong)info.Content), i);
        }
        Array.Sort(ranked);
        var kept = new List<int>();
        for (int i = 0, first = 0; i < ranked.Length; i++)
        {
            if (ranked[i].Prompt != ranked[first].Prompt)
                first = i;
            if (i - first < most)
                kept.Add(ranked[i].Index);
        }
        kept.Sort();
        return ([.. kept], lists.Count - kept.Count);
    }
}
