using System.IO.Hashing;

namespace RewardModel.Files;

/// <summary>
/// A file being written beside the place where it belongs. <see cref="Commit"/> puts it there in one step, so that the old file or
/// the whole new one is seen, never a part; disposing it before that leaves the old file as it was.
/// </summary>
internal sealed class PendingFile : IDisposable
{
    private readonly string path;
    private readonly string temporaryPath;
    private readonly FileStream file;
    private readonly WrittenRuns content;
    private readonly bool isOfAnother;
    private bool committed;

    /// <param name="path">Where the file belongs. Its directory must exist.</param>
    /// <param name="isShared">Whether other processes write parts of it: see <see cref="OfAnother"/>.</param>
    public PendingFile(string path, bool isShared = false)
        : this(path, FileMode.Create, isShared ? FileShare.ReadWrite : FileShare.None)
    {
    }

    private PendingFile(string path, FileMode mode, FileShare share)
    {
        ArgumentNullException.ThrowIfNull(path);
        this.path = path;
        // A fixed name: what a killed process left behind is overwritten by the next try instead of piling up.
        temporaryPath = path + ".tmp";
        file = Disk.Open(temporaryPath, mode, share);
        content = new WrittenRuns(file);
        isOfAnother = mode == FileMode.Open;
    }

    /// <summary>A file that another process has made, which commits or removes it; this one writes parts of it.</summary>
    public static PendingFile OfAnother(string path) => new(path, FileMode.Open, FileShare.ReadWrite);

    /// <summary>The stream to write to, until <see cref="Commit"/>.</summary>
    public Stream Content => content;

    /// <summary>What was written, with checksums.</summary>
    public IReadOnlyList<FileRun> Runs => content.Runs;

    /// <summary>Writes text (UTF-8 without a byte-order mark) as the whole of a file, in one step.</summary>
    public static void WriteText(string path, string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        using var file = new PendingFile(path);
        file.Content.Write(System.Text.Encoding.UTF8.GetBytes(text));
        file.Commit();
    }

    /// <summary>Copies a whole file, in one step; does nothing when it is there already.</summary>
    /// <param name="source">The file.</param>
    /// <param name="kind">What it is read as.</param>
    /// <param name="path">Its copy.</param>
    public static void Copy(string source, FileKind kind, string path)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(path);
        if (Path.GetFullPath(source) == Path.GetFullPath(path))
            return;
        using var file = new PendingFile(path);
        using (var content = InputFile.Open(source, kind))
            content.CopyTo(file.Content);
        file.Commit();
    }

    /// <summary>Waits until the disk has what was written. Nothing can be written after it; <see cref="Commit"/> is then quick.</summary>
    public void Flush()
    {
        if (!file.CanWrite)
            return;
        file.Flush(flushToDisk: true);
        file.Dispose();
    }

    /// <summary>Waits until the disk has what was written, then replaces what stands at the path, so that it outlasts a power failure.</summary>
    public void Commit()
    {
        Flush();
        Disk.Move(temporaryPath, path);
        committed = true;
        Disk.SyncDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    /// <summary>Removes what was written, unless it was committed.</summary>
    public void Dispose()
    {
        content.Dispose();
        file.Dispose();
        if (!committed && !isOfAnother)
            Disk.Delete(temporaryPath);
    }

    /// <summary>Passes on to a file what is written, and keeps a checksum of every run of bytes without a gap.</summary>
    private sealed class WrittenRuns(FileStream file) : Stream
    {
        private const long longestRun = 1 << 28;

        private readonly List<FileRun> runs = [];
        private readonly XxHash128 hash = new();
        private long start;

        public IReadOnlyList<FileRun> Runs
        {
            get
            {
                End(position);
                return runs;
            }
        }

        public override bool CanRead => false;

        public override bool CanSeek => true;

        public override bool CanWrite => file.CanWrite;

        public override long Length => file.Length;

        public override long Position
        {
            get => position;
            set
            {
                if (value == position)
                    return;
                End(value);
                file.Position = position = value;
            }
        }

        private long position;

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            file.Write(buffer);
            hash.Append(buffer);
            position += buffer.Length;
            // So that several processes can look at a large file together.
            if (position - start >= longestRun)
                End(position);
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void WriteByte(byte value) => Write([value]);

        public override void SetLength(long value) => file.SetLength(value);

        public override void Flush() => file.Flush();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        private void End(long next)
        {
            if (position > start)
                runs.Add(new FileRun(start, position - start, hash.GetCurrentHashAsUInt128()));
            hash.Reset();
            start = next;
        }
    }
}
