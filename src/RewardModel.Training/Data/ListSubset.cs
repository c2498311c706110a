using System.Collections;
using RewardModel.Lists;

namespace RewardModel.Training.Data;

/// <summary>Some of a number of lists, in an order of their own, which are looked up there whenever they are asked for.</summary>
internal sealed class ListSubset : IIndexedLists
{
    private readonly IReadOnlyList<TokenizedList> lists;
    private readonly int[] indices;

    /// <param name="lists">All lists.</param>
    /// <param name="indices">Which of them; kept, not copied.</param>
    public ListSubset(IReadOnlyList<TokenizedList> lists, int[] indices) =>
        (this.lists, this.indices) = lists is ListSubset subset
            ? (subset.lists, Array.ConvertAll(indices, index => subset.indices[index]))
            : (lists, indices);

    /// <inheritdoc/>
    public int Count => indices.Length;

    /// <inheritdoc/>
    public TokenizedList this[int index] => lists[indices[index]];

    /// <inheritdoc/>
    public ListInfo InfoOf(int index) => lists.InfoOf(indices[index]);

    /// <inheritdoc/>
    public IReadOnlyList<double> ScoresOf(int index) => lists.ScoresOf(indices[index]);

    /// <inheritdoc/>
    public SourceLine SourceOf(int index) => lists.SourceOf(indices[index]);

    /// <inheritdoc/>
    public IEnumerator<TokenizedList> GetEnumerator() => indices.Select(index => lists[index]).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
