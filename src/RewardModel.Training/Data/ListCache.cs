using System.Diagnostics.CodeAnalysis;
using System.IO.Hashing;
using System.Runtime.InteropServices;

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
    /// <returns>False if there are none, or their file is damaged.</returns>
    public bool TryOpen(string key, [NotNullWhen(true)] out CompactLists? lists)
    {
        lists = MappedListStore.TryOpen(PathOf(key), key);
        return lists is not null;
    }

    /// <summary>Begins the lists of a key, which are there when they are finished.</summary>
    /// <inheritdoc cref="TryOpen"/>
    public CompactListsWriter Create(string key)
    {
        Directory.CreateDirectory(directory);
        return new CompactListsWriter(new ListStoreFile(PathOf(key), key));
    }

    private string PathOf(string key) =>
        Path.Combine(Path.GetFullPath(directory), $"{XxHash128.HashToUInt128(MemoryMarshal.AsBytes(key.AsSpan())):x32}.lists");
}
