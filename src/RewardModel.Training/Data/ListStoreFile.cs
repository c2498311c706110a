using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using RewardModel.Files;

namespace RewardModel.Training.Data;

/// <summary>
/// Writes a file of lists: their bytes, their index, texts, and a footer. It is written beside, under a name that no other process has, and
/// renamed when it is whole; so of two that write the same file at once each finds a whole one, whoever comes last.
/// </summary>
internal sealed class ListStoreFile : IListSink
{
    /// <summary>Of the format: files of another one are made anew.</summary>
    public const int Version = 3;

    /// <summary>What stands at the footer's beginning.</summary>
    public const ulong Magic = 0x5354_5349_4c4d_5230;

    private readonly string path;
    private readonly string key;
    private readonly FileStream lists;
    private readonly FileStream entries;
    private int count;

    /// <param name="path">The file, in a directory that exists.</param>
    /// <param name="key">What it is asked for by, which it holds too.</param>
    public ListStoreFile(string path, string key)
    {
        (this.path, this.key) = (path, key);
        RemoveAbandoned(path);
        lists = Temporary(path, FileOptions.None);
        // How many there will be is not known, and lists are many: they are not kept in memory.
        entries = Temporary(path, FileOptions.DeleteOnClose);
    }

    /// <summary>Whether the file goes with the lists. Nobody else opens it, and its bytes are not checked.</summary>
    public bool IsTemporary { get; init; }

    /// <inheritdoc/>
    public void Add(ListEntry entry, ReadOnlySpan<byte> bytes)
    {
        Write(entries, entry with { Position = lists.Position });
        lists.Write(bytes);
        count++;
    }

    /// <inheritdoc/>
    /// <exception cref="IOException">The file could not be written.</exception>
    public CompactLists Finish(IReadOnlyList<string> files, string notes)
    {
        using (this)
        {
            var start = lists.Position;
            entries.Position = 0;
            entries.CopyTo(lists);
            var texts = new ByteWriter();
            texts.WriteText(key);
            texts.WriteText(notes);
            texts.WriteCount(files.Count);
            foreach (var file in files)
                texts.WriteText(file);
            var footer = new ListStoreFooter(
                Magic, Version, count, start, lists.Position, lists.Position + texts.Written.Length + Unsafe.SizeOf<ListStoreFooter>(), Checksum: 0);
            lists.Write(texts.Written);
            Write(lists, footer);
            lists.Flush();
            if (!IsTemporary)
            {
                var checksum = ContentDigest.Of(lists.SafeFileHandle, footer.Length - Unsafe.SizeOf<UInt128>());
                lists.Position = footer.Length - Unsafe.SizeOf<UInt128>();
                Write(lists, checksum);
            }
            lists.Dispose();
            try
            {
                Disk.Move(lists.Name, path);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException && File.Exists(path))
            {
                // On Windows a file that another process reads can't be replaced; it is of the same lists.
            }
        }
        return MappedListStore.TryOpen(path, key, isChecked: true, IsTemporary)
            ?? throw new IOException($"'{path}' was changed as soon as it was written.");
    }

    /// <summary>Removes what is not finished.</summary>
    public void Dispose()
    {
        entries.Dispose();
        lists.Dispose();
        Disk.Delete(lists.Name);
    }

    private static FileStream Temporary(string path, FileOptions options) => Disk.Open(
        $"{path}.{Path.GetRandomFileName()}.tmp", FileMode.CreateNew, FileShare.None, FileAccess.ReadWrite, 1 << 20, options);

    /// <summary>Removes what processes that were killed have left of this file: what one writes to can't be opened.</summary>
    private static void RemoveAbandoned(string path)
    {
        foreach (var temporary in Directory.EnumerateFiles(Path.GetDirectoryName(path)!, $"{Path.GetFileName(path)}.*.tmp"))
            try
            {
                using var file = Disk.Open(temporary, FileMode.Open, FileShare.None, FileAccess.ReadWrite, 1, FileOptions.DeleteOnClose);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // It is being written, or gone.
            }
    }

    private static void Write<TValue>(FileStream file, TValue value) where TValue : unmanaged =>
        file.Write(MemoryMarshal.AsBytes(new ReadOnlySpan<TValue>(in value)));
}
