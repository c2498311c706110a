using System.Globalization;
using System.IO.Enumeration;
using System.Text.RegularExpressions;
using RewardModel.Files;

namespace RewardModel.Reading;

/// <summary>The files of one path of <see cref="DataPaths"/>.</summary>
/// <param name="Name">The path as it was given, without its weight.</param>
/// <param name="Weight">How often an epoch has each of its lists.</param>
/// <param name="Files">Its files, in the order of their names; - for standard input.</param>
internal sealed partial record DataSource(string Name, double Weight, IReadOnlyList<string> Files)
{
    /// <summary>What files of data end with: the others of a folder are something else.</summary>
    private static readonly string[] endings = [".jsonl", ".ndjson", ".json", ".parquet", ".csv", ".tsv"];

    private static readonly string[] compressedEndings = ["", ".gz", ".zst"];

    // What data sets' folders have beside the data.
    private static readonly string[] otherFiles = ["dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json"];

    /// <summary>Whether this reads standard input, which can be done once.</summary>
    public bool IsStandardInput => Files is [DataPath.StandardInput];

    /// <summary>The sources of paths.</summary>
    /// <param name="paths">The paths.</param>
    /// <exception cref="RankedDataException">There are no such files: all paths that have none are named.</exception>
    public static IReadOnlyList<DataSource> Of(DataPaths paths)
    {
        var problems = new List<string>();
        var sources = Of(paths, problems);
        return problems.Count == 0 ? sources : throw new RankedDataException(string.Join('\n', problems));
    }

    /// <summary>The first of some paths that has a weight; null where none has.</summary>
    public static string? Weighted(DataPaths paths) => paths.FirstOrDefault(path => !Exists(path) && WithWeight(path).Name != path);

    /// <summary>What is wrong with paths, one sentence each.</summary>
    public static IReadOnlyList<string> ProblemsOf(DataPaths paths)
    {
        var problems = new List<string>();
        Of(paths, problems);
        return problems;
    }

    private static DataSource[] Of(DataPaths paths, List<string> problems)
    {
        var sources = paths.Select(path => Of(path, problems)).ToArray();
        if (sources.Count(source => source.IsStandardInput) > 1)
            problems.Add("Standard input is given more than once, and can be read once; give it once.");
        return sources;
    }

    private static DataSource Of(string path, List<string> problems)
    {
        var (name, weight) = Exists(path) ? (path, 1) : WithWeight(path);
        if (!(weight > 0 && double.IsFinite(weight)))
            problems.Add($"'{path}' has the weight {weight.ToString(CultureInfo.InvariantCulture)}; expected a finite number above 0.");
        var files = Directory.Exists(name) ? FilesOf(name, problems) : Exists(name) ? [name] : Matching(name, problems);
        if (files.Length == 0 && !Directory.Exists(name))
            problems.Add(
                name.AsSpan().IndexOfAny('*', '?') >= 0
                    ? $"'{name}' matches no file; expected a file, a folder or a pattern that matches files."
                    : $"'{name}' is not a file; expected a file, a folder, a pattern such as 'data/*.parquet', or - for standard input. Check the path.");
        return new DataSource(name, weight, files);
    }

    private static (string Name, double Weight) WithWeight(string path)
    {
        var at = path.LastIndexOf('=');
        return at > 0 && double.TryParse(path.AsSpan(at + 1), NumberStyles.Float, CultureInfo.InvariantCulture, out var weight)
            ? (path[..at], weight)
            : (path, 1);
    }

    private static bool Exists(string path) => DataPath.Exists(path) || Directory.Exists(path);

    /// <summary>The files of data in a folder and those in it.</summary>
    private static string[] FilesOf(string folder, List<string> problems)
    {
        string[] files =
        [
            .. FilesBelow(folder)
                .Where(file => IsData(file) && !Path.GetRelativePath(folder, file).Split('/', '\\').Any(part => part.StartsWith('.')) && HasLength(file))
                .Order(StringComparer.Ordinal),
        ];
        AddLinksElsewhere(folder, files, problems);
        if (files.Length == 0)
            problems.Add($"'{folder}' holds no file of data; expected files that end with {string.Join(", ", endings)}, also with .gz or .zst.");
        // Of a folder with parts for training and for evaluation not all is meant.
        if (files.FirstOrDefault(file => TrainName().IsMatch(Path.GetRelativePath(folder, file))) is { } train
            && files.FirstOrDefault(file => EvaluationName().IsMatch(Path.GetRelativePath(folder, file))) is { } other)
            problems.Add(
                $"'{folder}' holds parts for training and for evaluation ('{train}' and '{other}'); expected one of them. Give a pattern such as "
                + $"'{Path.Combine(folder, "**", "train*")}'.");
        return files;
    }

    /// <summary>The files of a folder and of those in it, but of no folder that is a link, which may lead anywhere, also in a circle.</summary>
    private static FileSystemEnumerable<string> FilesBelow(string folder) => new FileSystemEnumerable<string>(
        folder, (ref FileSystemEntry entry) => entry.ToSpecifiedFullPath(),
        new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0, IgnoreInaccessible = false })
    {
        ShouldRecursePredicate = (ref FileSystemEntry entry) => !entry.Attributes.HasFlag(FileAttributes.ReparsePoint),
        ShouldIncludePredicate = (ref FileSystemEntry entry) => !entry.IsDirectory,
    };

    // What has none is no data, and perhaps a pipe, which nobody may ever write to.
    private static bool HasLength(string file) => InputFile.LengthOf(file) > 0;

    private static void AddLinksElsewhere(string folder, IEnumerable<string> files, List<string> problems)
    {
        foreach (var file in files)
            if (FolderFile.WhyRefused(folder, Path.GetRelativePath(folder, file)) is { } reason)
                problems.Add($"'{folder}': {reason}. Name that file itself, if it is meant.");
    }

    private static bool IsData(string file) => !otherFiles.Contains(Path.GetFileName(file)) && endings.Any(ending => compressedEndings.Any(
        compressed => file.EndsWith(ending + compressed, StringComparison.OrdinalIgnoreCase)));

    /// <summary>The files that a pattern matches: * and ? within a name, ** for any folders.</summary>
    private static string[] Matching(string pattern, List<string> problems)
    {
        var parts = pattern.Split('/', '\\');
        var fixedCount = Array.FindIndex(parts, part => part.AsSpan().IndexOfAny('*', '?') >= 0);
        if (fixedCount < 0)
            return [];
        var root = fixedCount == 0 ? "." : fixedCount == 1 && parts[0] == "" ? "/" : string.Join('/', parts[..fixedCount]);
        if (!Directory.Exists(root))
            return [];
        string[] files =
        [
            .. FilesBelow(root)
                .Where(file => Matches(parts.AsSpan(fixedCount), Path.GetRelativePath(root, file).Split('/', '\\')) && HasLength(file))
                .Order(StringComparer.Ordinal),
        ];
        AddLinksElsewhere(root, files, problems);
        return fixedCount == 0 ? [.. files.Select(file => Path.GetRelativePath(root, file))] : files;
    }

    private static bool Matches(ReadOnlySpan<string> patterns, ReadOnlySpan<string> names) => patterns switch
    {
        [] => names.IsEmpty,
        ["**", .. var rest] => Matches(rest, names) || (!names.IsEmpty && Matches(patterns, names[1..])),
        [var pattern, .. var rest] => !names.IsEmpty && FileSystemName.MatchesSimpleExpression(pattern, names[0], ignoreCase: false)
            && Matches(rest, names[1..]),
    };

    [GeneratedRegex("(?<![a-z])train(ing)?(?![a-z])", RegexOptions.IgnoreCase)]
    private static partial Regex TrainName();

    [GeneratedRegex("(?<![a-z])(test|valid|validation|eval|evaluation|dev|heldout)(?![a-z])", RegexOptions.IgnoreCase)]
    private static partial Regex EvaluationName();
}
