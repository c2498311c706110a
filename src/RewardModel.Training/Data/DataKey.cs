using System.Reflection;
using System.Text.Json;
using RewardModel.Lists;
using RewardModel.Reading;
using RewardModel.Scoring;

namespace RewardModel.Training.Data;

/// <summary>What tokenised lists depend on, as a text: where it is the same, so are they.</summary>
internal static class DataKey
{
    // Whatever a version changes in how data are read, its caches are its own.
    private static readonly string version = typeof(DataKey).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion
        + typeof(RankedList).Assembly.ManifestModule.ModuleVersionId;

    /// <summary>The key of files; null where they are a pipe, or are read by a layout in code, which may be another next time.</summary>
    public static string? Of(RankedListFiles files, ScoringModel model, BadData onBadData, ListPurpose purpose, string? extra, CancellationToken cancellation)
    {
        var sources = DataSource.Of(files.Paths);
        string[] paths = [.. sources.SelectMany(source => source.Files)];
        if (files.Layouts.Count > 0 || !paths.All(IsOrdinary))
            return null;
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
            OnBadData = onBadData,
            Purpose = purpose,
            Extra = extra,
            model.ReadsTextAsChat,
            model.Rule,
            Tokenizer = ContentDigest.Of(model.Tokenizer?.Files ?? [], cancellation),
        });
    }

    // A pipe has no content that can be read twice.
    private static bool IsOrdinary(string path) =>
        path != DataPath.StandardInput && !path.StartsWith("/dev/", StringComparison.Ordinal) && new FileInfo(path) is { Length: > 0 };
}
