using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;
using RewardModel.Lists;
using RewardModel.Reading;
using RewardModel.Scoring;

namespace RewardModel.Training.Data;

/// <summary>What tokenised lists depend on, as a text: where it is the same, so are they.</summary>
internal static partial class DataKey
{
    // Whatever a version changes in how data are read, its caches are its own.
    private static readonly string version = typeof(DataKey).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion
        + typeof(RankedList).Assembly.ManifestModule.ModuleVersionId;

    /// <summary>Why files have no key; null where they have one.</summary>
    public static string? WhyNone(RankedListFiles files) =>
        files.Layouts.Count > 0 ? "a layout in code may be another one next time"
        : files.Query is { } query && NamesFiles().IsMatch(query) ? "the query names files of its own, which may have changed next time"
        : !DataSource.Of(files.Paths).SelectMany(source => source.Files).All(DataPath.CanReadAgain) ? "a pipe can be read only once"
        : null;

    /// <summary>The key of files that have one.</summary>
    public static string Of(RankedListFiles files, ScoringModel model, ListPurpose purpose, string? extra, CancellationToken cancellation)
    {
        var sources = DataSource.Of(files.Paths);
        string[] paths = [.. sources.SelectMany(source => source.Files)];
        return JsonSerializer.Serialize(new
        {
            Version = version,
            // Messages name them.
            Paths = paths,
            Sources = sources.Select(source => source.Files.Count),
            Content = ContentDigest.Of(paths, cancellation),
            files.Query,
            files.Layout,
            files.ScoreFrom,
            files.GroupBy,
            files.OnBadData,
            Purpose = purpose,
            Extra = extra,
            model.ReadsTextAsChat,
            model.Rule,
            Tokenizer = ContentDigest.Of(model.Tokenizer?.Files ?? [], cancellation),
        });
    }

    // A table that is a text or a function of files, as DuckDB has them.
    [GeneratedRegex(@"(\bread_\w+|\bglob)\s*\(|\b(from|join)\s+['""]|,\s*'[^']*\.\w+'", RegexOptions.IgnoreCase)]
    private static partial Regex NamesFiles();
}
