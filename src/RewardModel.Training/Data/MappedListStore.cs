using System.IO.MemoryMappedFiles;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using RewardModel.Files;

namespace RewardModel.Training.Data;

/// <summary>
/// A file of lists. Its index is memory, of which the system keeps as much as it has room for, one copy for all processes that have the file
/// open. A list's bytes are read when it is asked for: mapped as well, they would be counted as the process's own memory, and a file system
/// that fails would end the process.
/// </summary>
internal sealed unsafe class MappedListStore : ListStore
{
    /// <summary>The longest list that the thread has read fits.</summary>
    [ThreadStatic]
    private static byte[]? buffer;

    private readonly SafeFileHandle handle;
    private readonly MemoryMappedFile file;
    private readonly MemoryMappedViewAccessor view;
    private readonly ListStoreFooter footer;
    private readonly byte* entries;

    private MappedListStore(FileStream stream, ListStoreFooter footer)
    {
        (handle, this.footer) = (stream.SafeFileHandle, footer);
        file = MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
        // With the texts behind it, as of no bytes there is no memory.
        view = file.CreateViewAccessor(footer.Entries, footer.Length - footer.Entries, MemoryMappedFileAccess.Read);
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref entries);
        entries += view.PointerOffset;
    }

    /// <inheritdoc/>
    public override int Count => footer.Count;

    /// <summary>Opens the lists of a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="key">What it was written with.</param>
    /// <param name="isChecked">Whether its bytes are known to be right, as it was just written or another process has checked them all.</param>
    /// <param name="isTemporary">Whether the file goes with the lists.</param>
    /// <returns>The caller's; null if there is no such file, or it is cut, damaged or of another version.</returns>
    public static CompactLists? TryOpen(string path, string key, bool isChecked = false, bool isTemporary = false)
    {
        FileStream file;
        try
        {
            file = InputFile.OpenOwn(
                path, FileKind.Lists, FileShare.Read | FileShare.Delete, isTemporary ? FileOptions.DeleteOnClose : FileOptions.None);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException or FileRefusedException)
        {
            return null;
        }
        if (WholeFooterOf(file, isChecked) is not { } footer)
        {
            file.Dispose();
            return null;
        }
        // What is open stays readable without a name, but for Windows; so nothing is left of it even where the process is killed.
        if (isTemporary && !OperatingSystem.IsWindows())
            Disk.Delete(path);
        var store = new MappedListStore(file, footer);
        try
        {
            var texts = new ByteReader(
                new ReadOnlySpan<byte>(store.entries + (footer.Texts - footer.Entries), (int)(footer.Length - footer.Texts)));
            if (texts.ReadText() == key)
            {
                var notes = texts.ReadText();
                var files = new List<string>();
                for (var rest = texts.ReadCount(); rest > 0; rest--)
                    files.Add(texts.ReadText());
                return new CompactLists(store, files, notes);
            }
        }
        catch (InvalidDataException)
        {
            // Its checksum is that of what was damaged before.
        }
        store.Dispose();
        return null;
    }

    /// <inheritdoc/>
    public override ListEntry EntryOf(int index) => Unsafe.ReadUnaligned<ListEntry>(entries + (long)index * Unsafe.SizeOf<ListEntry>());

    /// <inheritdoc/>
    /// <exception cref="EndOfStreamException">The file was cut.</exception>
    /// <exception cref="InvalidDataException">The list lies in no place that a list can have.</exception>
    public override ReadOnlySpan<byte> BytesOf(int index)
    {
        var position = EntryOf(index).Position;
        var end = index + 1 < Count ? EntryOf(index + 1).Position : footer.Entries;
        if (position < 0 || end < position || end > footer.Entries || end - position > Array.MaxLength)
            throw ByteReader.Damaged();
        var length = (int)(end - position);
        if (buffer is null || buffer.Length < length)
            buffer = new byte[Math.Max(length, 1 << 12)];
        var bytes = buffer.AsSpan(0, length);
        ContentDigest.Read(handle, bytes, position);
        return bytes;
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        if (!view.SafeMemoryMappedViewHandle.IsClosed)
            view.SafeMemoryMappedViewHandle.ReleasePointer();
        view.Dispose();
        file.Dispose();
    }

    private static ListStoreFooter? WholeFooterOf(FileStream file, bool isChecked)
    {
        ListStoreFooter footer = default;
        var bytes = MemoryMarshal.AsBytes(new Span<ListStoreFooter>(ref footer));
        if (file.Length < bytes.Length)
            return null;
        ContentDigest.Read(file.SafeFileHandle, bytes, file.Length - bytes.Length);
        return footer.Magic == ListStoreFile.Magic && footer.Version == ListStoreFile.Version && footer.Length == file.Length
            && footer.Count >= 0 && footer.Entries >= 0 && footer.Entries <= footer.Length - bytes.Length
            && footer.Texts == footer.Entries + (long)footer.Count * Unsafe.SizeOf<ListEntry>()
            && footer.Texts <= footer.Length - bytes.Length && footer.Length - footer.Texts <= int.MaxValue
            && (isChecked || footer.Checksum == ContentDigest.Of(file.SafeFileHandle, footer.Length - Unsafe.SizeOf<UInt128>()))
            ? footer
            : null;
    }
}
