namespace RewardModel.Training.Data;

/// <summary>What takes the bytes of lists, one after the other.</summary>
internal interface IListSink : IDisposable
{
    /// <summary>Adds a list.</summary>
    /// <param name="entry">Its entry, in which the position is put right.</param>
    /// <param name="bytes">Its bytes, which are copied.</param>
    void Add(ListEntry entry, ReadOnlySpan<byte> bytes);

    /// <summary>All lists have been added.</summary>
    /// <param name="files">The files' names, by the entries' numbers.</param>
    /// <param name="notes">What else is to be kept with the lists.</param>
    /// <returns>The lists, the caller's.</returns>
    CompactLists Finish(IReadOnlyList<string> files, string notes);
}
