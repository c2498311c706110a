using System.Runtime.CompilerServices;
using RewardModel.Layouts;
using RewardModel.Lists;

namespace RewardModel.Reading;

/// <summary>
/// Ranked lists of files in any layout that is known (<see cref="DataLayout.Known"/>): JSON lines and arrays, plain or compressed, and, with
/// <see cref="Tables"/>, Parquet, CSV, TSV and queries. They are streamed: files of any size take the same memory, but for rows of one answer
/// each, which are joined by their prompts.
/// </summary>
/// <param name="paths">Files, folders or patterns; - is standard input.</param>
/// <exception cref="ArgumentNullException">The paths are null.</exception>
/// <example>
/// <code>
/// await foreach (var list in new RankedListFiles(["train.jsonl", "more/*.json.gz"]).ReadAsync())
///     Console.WriteLine($"{list.Source}: {list.Answers.Count} answers");
/// </code>
/// </example>
public sealed class RankedListFiles(DataPaths paths) : IRankedListSource
{
    /// <summary>The paths.</summary>
    public DataPaths Paths { get; } = paths ?? throw new ArgumentNullException(nameof(paths));

    /// <inheritdoc/>
    public string Name => string.Join(", ", Paths.Select(DataPath.NameOf));

    /// <summary>What reads tables and queries: <c>DuckDbTables</c> of the package RewardModel.Data. Null (default): JSON alone is read.</summary>
    public ITableReader? Tables { get; init; }

    /// <summary>
    /// SQL over all files as the table <c>data</c>, whose rows are read in place of those of the files. Null (default): none.
    /// </summary>
    public string? Query { get; init; }

    /// <summary>The name of the layout that all rows have; null (default): each file's first row shows it.</summary>
    public string? Layout { get; init; }

    /// <summary>Layouts of your own, which rows are compared with before those that are known.</summary>
    public IReadOnlyList<DataLayout> Layouts { get; init; } = [];

    /// <summary>
    /// How an answer's score is computed from numbers beside it: <c>helpfulness + 0.5*correctness</c>. Null (default): as its layout says.
    /// </summary>
    public string? ScoreFrom { get; init; }

    /// <summary>The key whose value is the <see cref="RankedList.Group"/> of a row's lists. Null (default): none.</summary>
    public string? GroupBy { get; init; }

    /// <summary>What to do with bad rows: <see cref="ReadAsync"/> throws after the last good one, naming all of them, or passes over them.</summary>
    public BadData OnBadData { get; init; }

    /// <inheritdoc/>
    /// <exception cref="RankedDataException">
    /// A file isn't there, or can't be read, or it has bad rows and these are errors; or a list holds token ids.
    /// </exception>
    /// <exception cref="ArgumentException">There is no such layout, or the expression of scores can't be read.</exception>
#pragma warning disable CS1998 // Files are read as they are asked for.
    public async IAsyncEnumerable<RankedList> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
#pragma warning restore CS1998
    {
        using var lines = Open();
        foreach (var row in lines.Read())
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (row.TokenizedList is not null)
                throw new RankedDataException($"{row.Source} holds token ids, expected text.");
            foreach (var list in row.Lists)
                yield return list;
        }
        if (OnBadData == BadData.Error && lines.BadLines.Count > 0)
            throw RankedDataException.Of(lines.BadLines);
    }

    /// <summary>Opens the files.</summary>
    /// <param name="areToScore">Whether answers are to be scored only.</param>
    /// <param name="mayBeWhole">Whether rows may also be single texts and conversations.</param>
    internal RankedLines Open(bool areToScore = false, bool mayBeWhole = false) => new(
        DataSource.Of(Paths),
        new RowSettings
        {
            AreToScore = areToScore,
            MayBeWhole = mayBeWhole,
            Layout = Layout is null ? null : DataLayout.Named(Layout, Layouts),
            Layouts = Layouts,
            ScoreFrom = ScoreFrom is null ? null : new ScoreExpression(ScoreFrom),
            GroupBy = GroupBy,
        },
        Tables, Query);
}
