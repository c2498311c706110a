using System.Runtime.InteropServices;

namespace RewardModel.Files;

/// <summary>The one place that changes files and directories.</summary>
internal static partial class Disk
{
    /// <summary>Opens a file to be written to.</summary>
    /// <inheritdoc cref="FileStream(string, FileMode, FileAccess, FileShare, int, FileOptions)"/>
    public static FileStream Open(
        string path, FileMode mode, FileShare share = FileShare.None, FileAccess access = FileAccess.Write, int bufferSize = 4096,
        FileOptions options = FileOptions.None) => Do(
            DiskOperation.Open, path, () => DiskProbe.Current is { } probe
                ? new ProbedFile(path, mode, access, share, bufferSize, options, probe)
                : new FileStream(path, mode, access, share, bufferSize, options));

    /// <summary>Makes an empty file of a new name in the system's folder of temporary files.</summary>
    public static string CreateTemporary()
    {
        var path = Path.Combine(Path.GetTempPath(), $"reward-model-{Path.GetRandomFileName()}");
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        // Nobody else's to read.
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        Do(DiskOperation.Open, path, () => new FileStream(path, options)).Dispose();
        return path;
    }

    /// <summary>Gives a file another path, in place of what stood there.</summary>
    public static void Move(string source, string target) => Do(DiskOperation.Move, source, () => File.Move(source, target, overwrite: true), target);

    /// <summary>Deletes a file, if it is there.</summary>
    public static void Delete(string path) => Do(DiskOperation.Delete, path, () => File.Delete(path));

    /// <summary>Makes a directory and those above it that are missing, so that they outlast a power failure.</summary>
    public static void CreateDirectory(string path)
    {
        if (Directory.Exists(path))
            return;
        var parent = Path.GetDirectoryName(Path.GetFullPath(path));
        if (parent is not null)
            CreateDirectory(parent);
        Do(DiskOperation.CreateDirectory, path, () => Directory.CreateDirectory(path));
        if (parent is not null)
            SyncDirectory(parent);
    }

    /// <summary>Gives a directory another path, where there is nothing yet.</summary>
    public static void MoveDirectory(string source, string target) => Do(DiskOperation.Move, source, () => Directory.Move(source, target), target);

    /// <summary>Deletes a directory, with all that is in it.</summary>
    public static void DeleteDirectory(string path) => Do(DiskOperation.DeleteDirectory, path, () => Directory.Delete(path, recursive: true));

    /// <summary>Deletes a directory that is empty.</summary>
    public static void DeleteEmptyDirectory(string path) => Do(DiskOperation.DeleteDirectory, path, () => Directory.Delete(path));

    /// <summary>
    /// Waits until the disk has the names in a directory: without it, a file that was created or renamed may be gone after a power failure,
    /// though its content was forced to the disk (fsync(2)). Windows keeps its own journal of names.
    /// </summary>
    public static void SyncDirectory(string path) => Do(DiskOperation.SyncDirectory, path, () =>
    {
        if (OperatingSystem.IsWindows())
            return;
        var descriptor = OpenDirectory(path, flags: 0);
        if (descriptor < 0)
            throw new IOException($"'{path}' can't be opened: {Marshal.GetLastPInvokeErrorMessage()}.");
        try
        {
            // File systems that can't do it for directories say EINVAL, and have nothing better to offer.
            const int invalid = 22;
            if (Synchronize(descriptor) != 0 && Marshal.GetLastPInvokeError() != invalid)
                throw new IOException($"'{path}' can't be written to the disk: {Marshal.GetLastPInvokeErrorMessage()}.");
        }
        finally
        {
            _ = Close(descriptor);
        }
    });

    private static void Do(DiskOperation operation, string path, Action action, string? target = null) => Do(
        operation, path,
        () =>
        {
            action();
            return true;
        },
        target);

    private static TResult Do<TResult>(DiskOperation operation, string path, Func<TResult> action, string? target = null)
    {
        var probe = DiskProbe.Current;
        probe?.Before(operation, path, target);
        var result = action();
        probe?.After(operation, path, target);
        return result;
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenDirectory(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Synchronize(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);

    private sealed class ProbedFile(
        string path, FileMode mode, FileAccess access, FileShare share, int bufferSize, FileOptions options, DiskProbe probe)
        : FileStream(path, mode, access, share, bufferSize, options)
    {
        // What writes spans comes here too, as in every class derived from FileStream.
        public override void Write(byte[] buffer, int offset, int count)
        {
            probe.Before(DiskOperation.Write, Name);
            base.Write(buffer, offset, count);
            probe.After(DiskOperation.Write, Name);
        }

        public override void WriteByte(byte value) => Write([value], 0, 1);

        public override void Flush(bool flushToDisk)
        {
            if (!flushToDisk)
            {
                base.Flush(flushToDisk: false);
                return;
            }
            probe.Before(DiskOperation.Sync, Name);
            base.Flush(flushToDisk: true);
            probe.After(DiskOperation.Sync, Name);
        }
    }
}
