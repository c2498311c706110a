using System.Collections;

namespace RewardModel.Lists;

/// <summary>Lists as they are, each changed whenever it is asked for, so that there are not two of every list.</summary>
/// <param name="lists">The lists.</param>
/// <param name="change">What becomes of a list, of which the index is told too.</param>
internal sealed class ChangedLists(IReadOnlyList<TokenizedList> lists, Func<TokenizedList, int, TokenizedList> change)
    : IReadOnlyList<TokenizedList>
{
    /// <inheritdoc/>
    public int Count => lists.Count;

    /// <inheritdoc/>
    public TokenizedList this[int index] => change(lists[index], index);

    /// <inheritdoc/>
    public IEnumerator<TokenizedList> GetEnumerator() => lists.Select(change).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
