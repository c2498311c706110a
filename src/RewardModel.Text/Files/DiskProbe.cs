namespace RewardModel.Files;

/// <summary>What is done to a disk.</summary>
internal enum DiskOperation
{
    /// <summary>A file is created, or opened to be written to.</summary>
    Open,

    /// <summary>Bytes are written.</summary>
    Write,

    /// <summary>A file's content is forced to the disk.</summary>
    Sync,

    /// <summary>A file or directory gets another path; what stood there is gone.</summary>
    Move,

    /// <summary>A file is deleted.</summary>
    Delete,

    /// <summary>A directory is made.</summary>
    CreateDirectory,

    /// <summary>A directory is deleted, with all that is in it.</summary>
    DeleteDirectory,

    /// <summary>The names in a directory are forced to the disk.</summary>
    SyncDirectory,
}

/// <summary>Looks at everything that <see cref="Disk"/> does, for tests: it can fail an operation, or end the process, before it happens.</summary>
internal abstract class DiskProbe
{
    private static readonly AsyncLocal<DiskProbe?> current = new();

    /// <summary>The one that looks at what this thread and those that it starts do; null for none.</summary>
    public static DiskProbe? Current
    {
        get => current.Value;
        set => current.Value = value;
    }

    /// <summary>Is called before an operation. What it throws, the operation throws.</summary>
    /// <param name="operation">The operation.</param>
    /// <param name="path">Of what is changed.</param>
    /// <param name="target">Of what is moved, its new path.</param>
    public abstract void Before(DiskOperation operation, string path, string? target = null);

    /// <summary>Is called after an operation that succeeded.</summary>
    public virtual void After(DiskOperation operation, string path, string? target = null)
    {
    }
}
