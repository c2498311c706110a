namespace RewardModel.Training.Data;

/// <summary>Keeps no list: where they are only seen.</summary>
internal sealed class NoListStore : ListStore, IListSink
{
    /// <inheritdoc/>
    public override int Count => 0;

    /// <inheritdoc/>
    public void Add(ListEntry entry, ReadOnlySpan<byte> bytes)
    {
    }

    /// <inheritdoc/>
    public CompactLists Finish(IReadOnlyList<string> files, string notes) => new(this, files, notes);

    /// <inheritdoc/>
    public override ListEntry EntryOf(int index) => throw new ArgumentOutOfRangeException(nameof(index), "No list is kept.");

    /// <inheritdoc/>
    public override ReadOnlySpan<byte> BytesOf(int index) => throw new ArgumentOutOfRangeException(nameof(index), "No list is kept.");

    /// <inheritdoc/>
    public override void Dispose()
    {
    }
}
