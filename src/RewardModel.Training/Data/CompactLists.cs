using System.Collections;
using RewardModel.Lists;

namespace RewardModel.Training.Data;

/// <summary>
/// Any number of lists in little memory: their token ids as bytes, in memory or in a file, and an index of what is asked of all of them. A
/// list is made whenever it is asked for, equal to the one that was added, and is not kept. Several threads may ask at once.
/// </summary>
/// <param name="store">Where they lie; disposed of with the lists.</param>
/// <param name="files">The names of the files that they were read from, by their numbers.</param>
/// <param name="notes">What else was kept with them.</param>
internal sealed class CompactLists(ListStore store, IReadOnlyList<string> files, string notes) : IIndexedLists, IDisposable
{
    private bool isDisposed;

    /// <inheritdoc/>
    public int Count { get; } = store.Count;

    /// <summary>What was kept with the lists, by whoever made them.</summary>
    public string Notes => notes;

    /// <summary>A list, made anew.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is none of that index.</exception>
    /// <exception cref="ObjectDisposedException">The lists have been disposed of.</exception>
    /// <exception cref="InvalidDataException">Its bytes are damaged.</exception>
    public TokenizedList this[int index]
    {
        get
        {
            var entry = EntryOf(index);
            return ListEncoding.Read(store.BytesOf(index), entry.Info, SourceOf(entry));
        }
    }

    /// <inheritdoc/>
    public ListInfo InfoOf(int index) => EntryOf(index).Info;

    /// <inheritdoc/>
    public IReadOnlyList<double> ScoresOf(int index)
    {
        var entry = EntryOf(index);
        return ListEncoding.ReadScores(store.BytesOf(index), entry.Info);
    }

    /// <inheritdoc/>
    public SourceLine SourceOf(int index) => SourceOf(EntryOf(index));

    /// <inheritdoc/>
    public IEnumerator<TokenizedList> GetEnumerator()
    {
        for (var i = 0; i < Count; i++)
            yield return this[i];
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Gives the memory or the file back. No list may be asked for meanwhile.</summary>
    public void Dispose()
    {
        isDisposed = true;
        store.Dispose();
    }

    private ListEntry EntryOf(int index)
    {
        ObjectDisposedException.ThrowIf(isDisposed, this);
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
        return store.EntryOf(index);
    }

    private SourceLine SourceOf(in ListEntry entry) => entry.File >= 0 && entry.File <= files.Count && entry.Line > int.MinValue
        ? ListEntry.SourceOf(entry.File == 0 ? null! : files[entry.File - 1], entry.Line)
        : throw ByteReader.Damaged();
}
