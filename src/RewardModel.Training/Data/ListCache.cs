using System.Diagnostics.CodeAnalysis;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using RewardModel.Files;

namespace RewardModel.Training.Data;

/// <summary>
/// A directory of lists that were read and tokenised before. Several processes may use one at once. What is in it may be deleted at any time,
/// and is made again.
/// </summary>
/// <param name="directory">The directory, which is created when it is written to.</param>
internal sealed class ListCache(string directory)
{
    /// <summary>Opens the lists of a key.</summary>
    /// <param name="key">Says what they were made of: the files' bytes, the tokenizer and everything else that they depend on.</param>
    /// <param name="lists">The caller's.</param>
    /// <param name="isChecked">Whether another process that works with this one has opened them, and found their file whole.</param>
    /// <returns>False if there are none, or their file is damaged.</returns>
    public bool TryOpen(string key, [NotNullWhen(true)] out CompactLists? lists, bool isChecked = false)
    {
        lists = MappedListStore.TryOpen(PathOf(key), key, isChecked);
        return lists is not null;
    }

    /// <summary>Begins the lists of a key, which are there when they are finished.</summary>
    /// <param name="key">What they are found by.</param>
    /// <param name="isTemporary">Whether they are for this process alone, and gone when it needs them no more.</param>
    public CompactListsWriter Create(string key, bool isTemporary = false)
    {
        Disk.CreateDirectory(directory);
        return new CompactListsWriter(new ListStoreFile(PathOf(key), key) { IsTemporary = isTemporary });
    }

    private string PathOf(string key) =>
        Path.Combine(Path.GetFullPath(directory), $"{XxHash128.HashToUInt128(MemoryMarshal.AsBytes(key.AsSpan())):x32}.lists");
}
