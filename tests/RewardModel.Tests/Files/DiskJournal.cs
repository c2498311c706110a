using RewardModel.Files;

namespace RewardModel.Tests.Files;

/// <summary>
/// Records what is done to the files below a directory, and makes the directory that a power failure would leave: content that was not forced to
/// the disk is gone, and so are names, or not, as a file system likes.
/// </summary>
internal sealed class DiskJournal(string root) : DiskProbe
{
    private readonly List<Record> records = [];

    /// <summary>How many operations there were.</summary>
    public int Count => records.Count;

    public override void Before(DiskOperation operation, string path, string? target = null)
    {
        // A file is closed when it has been forced to the disk, and read here when it gets its name: before that it is locked.
        if (operation == DiskOperation.Move && records.FindLast(record => record is { Operation: DiskOperation.Sync } && record.Path == path) is { } sync)
            sync.Content = File.ReadAllBytes(path);
    }

    public override void After(DiskOperation operation, string path, string? target = null)
    {
        if (path.StartsWith(root, StringComparison.Ordinal))
            records.Add(new Record(operation, path, target));
    }

    /// <summary>Makes what a power failure leaves after some of the operations.</summary>
    /// <param name="count">How many.</param>
    /// <param name="keepsNames">Whether names are on the disk that were not forced to it.</param>
    /// <param name="target">Where; there must be nothing yet.</param>
    public void MakeImage(int count, bool keepsNames, string target)
    {
        var disk = new Folder();
        foreach (var record in records.Take(count))
            Apply(disk, record.Operation, Names(record.Path), record.Target is null ? [] : Names(record.Target), record.Content);
        Make(disk, keepsNames, target);
    }

    private string[] Names(string path) => Path.GetRelativePath(root, path).Split('/');

    private static void Apply(Folder disk, DiskOperation operation, string[] path, string[] target, byte[] content)
    {
        switch (operation)
        {
            case DiskOperation.Open:
                disk.At(path[..^1]).Entries.TryAdd(path[^1], new Leaf());
                break;
            case DiskOperation.Sync:
                ((Leaf)disk.At(path[..^1]).Entries[path[^1]]).Content = content;
                break;
            case DiskOperation.Move:
                disk.At(path[..^1]).Entries.Remove(path[^1], out var node);
                disk.At(target[..^1]).Entries[target[^1]] = node!;
                break;
            case DiskOperation.Delete or DiskOperation.DeleteDirectory:
                disk.At(path[..^1]).Entries.Remove(path[^1]);
                break;
            case DiskOperation.CreateDirectory:
                disk.At(path[..^1]).Entries.TryAdd(path[^1], new Folder());
                break;
            case DiskOperation.SyncDirectory:
                var folder = path is ["."] ? disk : disk.At(path);
                folder.Synced = new Dictionary<string, object>(folder.Entries);
                break;
        }
    }

    private static void Make(Folder folder, bool keepsNames, string target)
    {
        Directory.CreateDirectory(target);
        foreach (var (name, node) in keepsNames ? folder.Entries : folder.Synced)
            if (node is Folder inner)
                Make(inner, keepsNames, Path.Combine(target, name));
            else
                File.WriteAllBytes(Path.Combine(target, name), ((Leaf)node).Content);
    }

    private sealed record Record(DiskOperation Operation, string Path, string? Target)
    {
        public byte[] Content = [];
    }

    private sealed class Leaf
    {
        public byte[] Content = [];
    }

    private sealed class Folder
    {
        public Dictionary<string, object> Entries { get; } = [];

        public Dictionary<string, object> Synced { get; set; } = [];

        public Folder At(string[] names) => names.Aggregate(this, (folder, name) => (Folder)folder.Entries[name]);
    }
}
