namespace RewardModel.Training.Data;

/// <summary>Where the bytes of lists lie, and their index.</summary>
internal abstract class ListStore : IDisposable
{
    /// <summary>Number of lists.</summary>
    public abstract int Count { get; }

    /// <summary>The index's entry of a list.</summary>
    /// <param name="index">From 0 to below <see cref="Count"/>.</param>
    public abstract ListEntry EntryOf(int index);

    /// <summary>
    /// The bytes of a list, and perhaps some that follow. They must not be read after the thread has asked for others, or the store was
    /// disposed of.
    /// </summary>
    /// <param name="index">From 0 to below <see cref="Count"/>.</param>
    public abstract ReadOnlySpan<byte> BytesOf(int index);

    /// <inheritdoc/>
    public abstract void Dispose();
}
