namespace RewardModel.Checkpoints;

/// <summary>
/// A file being written beside the place where it belongs. <see cref="Commit"/> puts it there in one step, so that the old file or
/// the whole new one is seen, never a part; disposing it before that leaves the old file as it was.
/// </summary>
internal sealed class PendingFile : IDisposable
{
    private readonly string path;
    private readonly string temporaryPath;
    private readonly FileStream stream;
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
        stream = new FileStream(temporaryPath, mode, FileAccess.Write, share);
        isOfAnother = mode == FileMode.Open;
    }

    /// <summary>A file that another process has made, which commits or removes it; this one writes parts of it.</summary>
    public static PendingFile OfAnother(string path) => new(path, FileMode.Open, FileShare.ReadWrite);

    /// <summary>The stream to write to, until <see cref="Commit"/>.</summary>
    public Stream Content => stream;

    /// <summary>Writes text (UTF-8 without a byte-order mark) as the whole of a file, in one step.</summary>
    public static void WriteText(string path, string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        using var file = new PendingFile(path);
        file.Content.Write(System.Text.Encoding.UTF8.GetBytes(text));
        file.Commit();
    }

    /// <summary>Copies a whole file, in one step; does nothing when it is there already.</summary>
    public static void Copy(string source, string path)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(path);
        if (Path.GetFullPath(source) == Path.GetFullPath(path))
            return;
        using var file = new PendingFile(path);
        using (var content = File.OpenRead(source))
            content.CopyTo(file.Content);
        file.Commit();
    }

    /// <summary>Waits until the disk has what was written. Nothing can be written after it; <see cref="Commit"/> is then quick.</summary>
    public void Flush()
    {
        if (!stream.CanWrite)
            return;
        stream.Flush(flushToDisk: true);
        stream.Dispose();
    }

    /// <summary>Waits until the disk has what was written, then replaces what stands at the path.</summary>
    public void Commit()
    {
        Flush();
        File.Move(temporaryPath, path, overwrite: true);
        committed = true;
    }

    /// <summary>Removes what was written, unless it was committed.</summary>
    public void Dispose()
    {
        stream.Dispose();
        if (!committed && !isOfAnother)
            File.Delete(temporaryPath);
    }
}
