namespace RewardModel.Training.Data;

/// <summary>Lists in memory: in pieces, so that no array grows with their number and nothing is copied twice.</summary>
/// <param name="pieceLength">Bytes of a piece; a longer list has a piece of its own.</param>
internal sealed class MemoryListStore(int pieceLength = 1 << 24) : ListStore, IListSink
{
    private const int entriesPerPiece = 1 << 14;

    // A position is the number of a piece, and in its lower half where in the piece.
    private readonly List<byte[]> pieces = [];
    private readonly List<ListEntry[]> entries = [];
    private int used;
    private int count;

    /// <inheritdoc/>
    public override int Count => count;

    /// <inheritdoc/>
    public void Add(ListEntry entry, ReadOnlySpan<byte> bytes)
    {
        if (pieces.Count == 0 || bytes.Length > pieces[^1].Length - used)
        {
            pieces.Add(GC.AllocateUninitializedArray<byte>(Math.Max(pieceLength, bytes.Length)));
            used = 0;
        }
        if (count % entriesPerPiece == 0)
            entries.Add(new ListEntry[entriesPerPiece]);
        entries[^1][count % entriesPerPiece] = entry with { Position = ((long)(pieces.Count - 1) << 32) + used };
        bytes.CopyTo(pieces[^1].AsSpan(used));
        used += bytes.Length;
        count++;
    }

    /// <inheritdoc/>
    public CompactLists Finish(IReadOnlyList<string> files, string notes) => new(this, files, notes);

    /// <inheritdoc/>
    public override ListEntry EntryOf(int index) => entries[index / entriesPerPiece][index % entriesPerPiece];

    /// <inheritdoc/>
    public override ReadOnlySpan<byte> BytesOf(int index)
    {
        var position = EntryOf(index).Position;
        return pieces[(int)(position >> 32)].AsSpan((int)(position & uint.MaxValue));
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        pieces.Clear();
        entries.Clear();
    }
}
