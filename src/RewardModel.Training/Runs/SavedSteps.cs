using System.Globalization;
using System.Text.Json;
using RewardModel.Checkpoints;
using RewardModel.Distributed;
using RewardModel.Files;
using RewardModel.Training.Distributed;

namespace RewardModel.Training.Runs;

/// <summary>
/// Directories <c>step-00000012</c> in a directory of theirs, each saved at a step of a run. One appears by a single rename, when all of its
/// files and their manifest are on the disk, so a kill or a power failure at any time leaves a complete one.
/// </summary>
/// <param name="parent">The directory of them all.</param>
internal sealed class SavedSteps(string parent)
{
    /// <summary>The file with the sizes and checksums of the others.</summary>
    public const string ManifestFile = "manifest.json";

    private const string prefix = "step-";

    /// <summary>The steps, in their order. What has another name is nothing of ours.</summary>
    public IEnumerable<int> Steps => !Directory.Exists(parent) ? [] : Directory.EnumerateDirectories(parent, $"{prefix}*")
        .Select(directory => Path.GetFileName(directory)[prefix.Length..])
        .Where(digits => digits.Length == 8)
        .Select(digits => int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var step) ? step : -1)
        .Where(step => step >= 0)
        .Order();

    /// <summary>The directory of a step.</summary>
    public string this[int step] => Path.Combine(parent, string.Create(CultureInfo.InvariantCulture, $"{prefix}{step:D8}"));

    /// <summary>Removes them all, and makes their directory.</summary>
    public void Clear()
    {
        if (Directory.Exists(parent))
            Disk.DeleteDirectory(parent);
        Disk.CreateDirectory(parent);
    }

    /// <summary>Saves a step. All ranks call it together.</summary>
    /// <param name="step">The step, which replaces one of the same number.</param>
    /// <param name="ranks">The ranks.</param>
    /// <param name="write">Writes files into a directory, each rank what it has, and tells the first rank what they are.</param>
    public void Write(int step, ICollective ranks, Func<string, IReadOnlyList<ManifestFile>> write)
    {
        var unfinished = Path.Combine(parent, "unfinished");
        ranks.FirstDoes(() =>
        {
            if (Directory.Exists(unfinished))
                Disk.DeleteDirectory(unfinished);
            Disk.CreateDirectory(unfinished);
        });
        var files = write(unfinished);
        ranks.FirstDoes(() =>
        {
            new FileManifest(files).Write(Path.Combine(unfinished, ManifestFile));
            // A run that was killed after this step and resumed before it comes here again.
            if (Directory.Exists(this[step]))
                Disk.DeleteDirectory(this[step]);
            Disk.MoveDirectory(unfinished, this[step]);
            Disk.SyncDirectory(parent);
        });
    }

    /// <summary>Removes all but some. All ranks call it together.</summary>
    public void KeepOnly(ICollective ranks, IEnumerable<int> steps) => ranks.FirstDoes(() =>
    {
        foreach (var other in Steps.Except(steps).ToArray())
            Disk.DeleteDirectory(this[other]);
    });

    /// <summary>What is wrong with a saved step, one sentence each without a full stop. All ranks call it together; each reads its share.</summary>
    public IReadOnlyList<string> ProblemsOf(int step, ICollective ranks) =>
        Shared(ranks, [.. ProblemsOf(this[step], ranks.Rank, ranks.Size)], $"whether step {step} is as it was saved");

    /// <summary>The problems that all ranks have found, each once.</summary>
    public static IReadOnlyList<string> Shared(ICollective ranks, string[] own, string purpose) => ranks.Size == 1 ? own :
    [
        .. ranks.Gather(JsonSerializer.SerializeToUtf8Bytes(own), purpose)
            .SelectMany(bytes => JsonSerializer.Deserialize<string[]>(bytes)!).Distinct(),
    ];

    /// <summary>What is wrong with the directory of a saved step.</summary>
    public static IEnumerable<string> ProblemsOf(
        string directory, int share = 0, int shareCount = 1, CancellationToken cancellation = default)
    {
        if (!Directory.Exists(directory))
            return [$"there is no '{directory}'"];
        if (!FolderFile.Exists(directory, ManifestFile))
            return [$"'{directory}' has no {ManifestFile}: it was not saved to its end, or by an earlier version"];
        try
        {
            var manifest = FileManifest.Read(directory, ManifestFile);
            var listed = manifest.Files.Select(file => file.Name).Append(ManifestFile).ToHashSet();
            // Beside an index, for example, a file of all weights would be read in place of those that it lists.
            var unlisted = Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories)
                .Select(path => Path.GetRelativePath(directory, path).Replace('\\', '/')).Where(name => !listed.Contains(name) && CheckpointLayout.IsWeightFile(Path.GetFileName(name)));
            return
            [
                .. manifest.ProblemsOf(directory, share, shareCount, cancellation).Select(problem => $"in '{directory}' {problem}"),
                .. unlisted.Select(name => $"in '{directory}' there is {Quoted.Text(name)}, which was not saved with it: delete it"),
            ];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return [exception.Message.TrimEnd('.')];
        }
    }
}
