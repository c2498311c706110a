using System.Text.RegularExpressions;

namespace RewardModel.Checkpoints;

/// <summary>The names of the weight files in a Hugging Face checkpoint's directory, and which files count as lying in it.</summary>
internal static partial class CheckpointLayout
{
    public const string SingleFile = "model.safetensors";
    public const string IndexFile = "model.safetensors.index.json";

    /// <summary>The name of one of several weight files; <paramref name="number"/> counts from 1.</summary>
    public static string ShardFile(int number, int count) => $"model-{number:d5}-of-{count:d5}.safetensors";

    /// <summary>Whether a file of that name belongs to the weights, in either layout.</summary>
    public static bool IsWeightFile(string name) => name is SingleFile or IndexFile || ShardPattern().IsMatch(name);

    /// <summary>Whether the name is one of a file directly in a directory, on every operating system.</summary>
    public static bool IsPlainName(string name) => name is not ("" or "." or "..") && name.AsSpan().IndexOfAny('/', '\\', '\0') < 0;

    /// <summary>
    /// Why a file of a checkpoint must not be read, or null when it may: it must exist and, where it is a symbolic link, lead to a
    /// file in the same directory or to a blob of the Hugging Face cache, whose <c>snapshots/revision/</c> consist of links to
    /// <c>blobs/</c>. A checkpoint from a stranger must not make us read anything else.
    /// </summary>
    public static string? WhyUnreadable(string directory, string name)
    {
        var real = RealPath(Path.GetFullPath(directory));
        var path = Path.Combine(real, name);
        if (!File.Exists(path))
            return $"{Quoted.Text(name)} does not exist";
        if (File.ResolveLinkTarget(path, returnFinalTarget: true) is not { } target)
            return null;
        var targetDirectory = RealPath(Path.GetDirectoryName(target.FullName)!);
        var snapshots = Path.GetDirectoryName(real);
        var isBlob = Path.GetFileName(snapshots) == "snapshots"
            && targetDirectory == Path.Combine(Path.GetDirectoryName(snapshots)!, "blobs");
        return targetDirectory == real || isBlob
            ? null
            : $"{Quoted.Text(name)} is a link to {Quoted.Text(target.FullName)}; expected a file in the checkpoint's own directory";
    }

    /// <summary>The directory's path without symbolic links.</summary>
    private static string RealPath(string directory)
    {
        if (Path.GetDirectoryName(directory) is not { } parent)
            return directory;
        var path = Path.Combine(RealPath(parent), Path.GetFileName(directory));
        return Directory.ResolveLinkTarget(path, returnFinalTarget: true) is { } target ? RealPath(target.FullName) : path;
    }

    [GeneratedRegex("^model-[0-9]{5}-of-[0-9]{5}\\.safetensors$", RegexOptions.CultureInvariant)]
    private static partial Regex ShardPattern();
}
