using RewardModel.Lists;

namespace RewardModel.Training.Checks;

/// <summary>
/// Keeps the texts of a bounded number of lists: those with the smallest hashes, prompt by prompt, so that the order of the data makes no
/// difference.
/// </summary>
/// <param name="maxLists">Most lists.</param>
/// <param name="maxCharacters">Most characters; by default 64 MB of text.</param>
internal sealed class SampledLists(int maxLists, long maxCharacters = 32_000_000)
{
    private readonly PriorityQueue<(int Index, RankedList List), (ulong, ulong)> lists = new(
        Comparer<(ulong, ulong)>.Create((first, second) => second.CompareTo(first)));

    private long characters;

    /// <summary>Adds a list, by the hashes of its texts.</summary>
    /// <param name="index">Its number among all lists.</param>
    /// <param name="list">The list.</param>
    public void Add(int index, RankedList list) => Add(
        index, list, TextHash.Of(list.Prompt), list.Answers.Aggregate(0ul, (hash, answer) => TextHash.Joined(hash, TextHash.Of(answer))));

    /// <param name="index">Its number among all lists.</param>
    /// <param name="list">The list.</param>
    /// <param name="promptHash">Of its prompt: all lists of a prompt are kept, or none, but for the last prompt.</param>
    /// <param name="listHash">Of the whole of it.</param>
    public void Add(int index, RankedList list, ulong promptHash, ulong listHash)
    {
        lists.Enqueue((index, list), (promptHash, listHash));
        characters += Length(list);
        while (lists.Count > maxLists || characters > maxCharacters && lists.Count > 1)
            characters -= Length(lists.Dequeue().List);
    }

    /// <summary>The lists that were kept, in the order of all lists.</summary>
    public (int Index, RankedList List)[] InOrder() => [.. lists.UnorderedItems.Select(item => item.Element).OrderBy(list => list.Index)];

    private static long Length(RankedList list) => list.Prompt.Length + list.Answers.Sum(answer => (long)answer.Length);
}
