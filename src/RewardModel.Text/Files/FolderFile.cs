namespace RewardModel.Files;

/// <summary>
/// Files of a directory that may come from a stranger: a checkpoint, a tokenizer, a folder of data, a run. They must not make us read anything
/// else: one that is a link has to lead to a file of the same directory, or to a blob of the Hugging Face cache, whose
/// <c>snapshots/revision/</c> consist of links to <c>blobs/</c>.
/// </summary>
internal static class FolderFile
{
    /// <summary>Where the new files of a model lie before they replace those of its directory: see <c>SavedModel</c>.</summary>
    public const string Written = ".reward-model-written";

    /// <summary>Where those of them lie that have not been put in their place yet.</summary>
    public const string Placing = ".reward-model-placing";

    /// <summary>
    /// Where a file of a directory is: in it, or, where the replacement of its model was interrupted, still in the folder that it was written
    /// to. There need be no such file.
    /// </summary>
    /// <param name="directory">The directory.</param>
    /// <param name="name">The file's name, or its path below the directory.</param>
    public static string PathOf(string directory, string name)
    {
        var written = Path.Combine(directory, Written);
        if (IsFolder(written))
            return Path.Combine(written, name);
        var placing = Path.Combine(directory, Placing);
        return IsFolder(placing) && Path.Combine(placing, name) is var unplaced && File.Exists(unplaced) ? unplaced : Path.Combine(directory, name);
    }

    /// <summary>Whether there is such a file, or a link to one.</summary>
    public static bool Exists(string directory, string name) => File.Exists(PathOf(directory, name));

    /// <summary>The names of the files in a directory, sorted.</summary>
    public static IReadOnlyList<string> Names(string directory) =>
        [.. Directory.EnumerateFiles(directory).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    /// <summary>Why a file is not read, without a full stop; null where it is.</summary>
    public static string? WhyRefused(string directory, string name)
    {
        var path = PathOf(directory, name);
        if (!File.Exists(path))
            return Directory.Exists(path) ? $"{Named(name)} is a directory; expected a file" : $"{Named(name)} does not exist";
        var root = InputFile.RealPath(Path.GetFullPath(directory));
        var real = InputFile.RealPath(Path.GetFullPath(path));
        if (IsBelow(real, root) || IsBlob(real, root))
            return null;
        return $"{Named(name)} is a link to {Named(real)}; expected a file in the same directory";
    }

    /// <summary>The bytes of a file.</summary>
    /// <exception cref="FileRefusedException">It leads elsewhere, or is no file of the kind.</exception>
    /// <exception cref="IOException">There is none, or the system refuses.</exception>
    public static byte[] ReadBytes(string directory, string name, FileKind kind) => InputFile.ReadBytes(Checked(directory, name), kind);

    /// <summary>The bytes of a text in UTF-8.</summary>
    /// <inheritdoc cref="ReadBytes"/>
    public static ReadOnlyMemory<byte> ReadUtf8(string directory, string name, FileKind kind) => InputFile.ReadUtf8(Checked(directory, name), kind);

    /// <summary>The text of a file in UTF-8.</summary>
    /// <inheritdoc cref="ReadBytes"/>
    public static string ReadText(string directory, string name, FileKind kind) => InputFile.ReadText(Checked(directory, name), kind);

    /// <summary>The lines of a file in UTF-8.</summary>
    /// <inheritdoc cref="ReadBytes"/>
    public static IEnumerable<string> ReadLines(string directory, string name, FileKind kind) =>
        InputFile.ReadLines(Checked(directory, name), kind);

    /// <summary>The path of a file, to be opened by <see cref="InputFile"/>.</summary>
    /// <exception cref="FileRefusedException">There is none, or it leads elsewhere.</exception>
    public static string Checked(string directory, string name) => WhyRefused(directory, name) is { } reason
        ? throw new FileRefusedException(directory, reason, "Put the file itself there: cp -L copies what a link leads to.")
        : PathOf(directory, name);

    /// <summary>Whether this is a folder itself, and no link to one: that could make us move or delete files of another place.</summary>
    public static bool IsFolder(string path) => new DirectoryInfo(path) is { Exists: true, LinkTarget: null };

    private static bool IsBelow(string path, string directory) =>
        path.StartsWith(directory.TrimEnd(Path.DirectorySeparatorChar) + Path.DirectorySeparatorChar, StringComparison.Ordinal);

    private static bool IsBlob(string path, string directory)
    {
        for (var folder = directory; Path.GetDirectoryName(folder) is { } parent; folder = parent)
            if (Path.GetFileName(parent) == "snapshots")
                return Path.GetDirectoryName(path) == InputFile.RealPath(Path.Combine(Path.GetDirectoryName(parent)!, "blobs"));
        return false;
    }

    // Names are a stranger's too.
    private static string Named(string name) => Quoted.Text(name);
}
