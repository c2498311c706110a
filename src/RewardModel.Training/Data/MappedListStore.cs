using System.IO.MemoryMappedFiles;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace RewardModel.Training.Data;

/// <summary>A file of lists as memory, of which the system keeps as much as it has room for.</summary>
internal sealed unsafe class MappedListStore : ListStore
{
    private readonly MemoryMappedFile file;
    private readonly MemoryMappedViewAccessor view;
    private readonly ListStoreFooter footer;
    private readonly byte* start;

    private MappedListStore(MemoryMappedFile file, ListStoreFooter footer)
    {
        (this.file, this.footer) = (file, footer);
        view = file.CreateViewAccessor(0, footer.Length, MemoryMappedFileAccess.Read);
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        start += view.PointerOffset;
    }

    /// <inheritdoc/>
    public override int Count => footer.Count;

    /// <summary>Opens the lists of a file, whose bytes are all checked.</summary>
    /// <param name="path">The file.</param>
    /// <param name="key">What it was written with.</param>
    /// <returns>The caller's; null if there is no such file, or it is cut, damaged or of another version.</returns>
    public static CompactLists? TryOpen(string path, string key)
    {
        FileStream file;
        try
        {
            file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        if (WholeFooterOf(file) is not { } footer)
        {
            file.Dispose();
            return null;
        }
        var store = new MappedListStore(
            MemoryMappedFile.CreateFromFile(file, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false), footer);
        var texts = new ByteReader(store.BytesAt(footer.Texts));
        if (texts.ReadText() != key)
        {
            store.Dispose();
            return null;
        }
        var notes = texts.ReadText();
        var files = new string[texts.ReadCount()];
        foreach (ref var name in files.AsSpan())
            name = texts.ReadText();
        return new CompactLists(store, files, notes);
    }

    /// <inheritdoc/>
    public override ListEntry EntryOf(int index) =>
        Unsafe.ReadUnaligned<ListEntry>(start + footer.Entries + (long)index * Unsafe.SizeOf<ListEntry>());

    /// <inheritdoc/>
    public override ReadOnlySpan<byte> BytesAt(long position) =>
        new(start + position, (int)Math.Min(int.MaxValue, footer.Length - position));

    /// <inheritdoc/>
    public override void Dispose()
    {
        if (!view.SafeMemoryMappedViewHandle.IsClosed)
            view.SafeMemoryMappedViewHandle.ReleasePointer();
        view.Dispose();
        file.Dispose();
    }

    private static ListStoreFooter? WholeFooterOf(FileStream file)
    {
        ListStoreFooter footer = default;
        var bytes = MemoryMarshal.AsBytes(new Span<ListStoreFooter>(ref footer));
        if (file.Length < bytes.Length)
            return null;
        file.Position = file.Length - bytes.Length;
        file.ReadExactly(bytes);
        return footer.Magic == ListStoreFile.Magic && footer.Version == ListStoreFile.Version && footer.Length == file.Length
            && footer.Checksum == ContentDigest.Of(file.SafeFileHandle, footer.Length - Unsafe.SizeOf<UInt128>())
            ? footer
            : null;
    }
}
