using RewardModel.Layouts;
using RewardModel.Lists;

namespace RewardModel.Reading;

/// <summary>Reads the rows of files one by one, without keeping them, and counts what is to be told about them.</summary>
internal sealed class RankedLines : IDisposable
{
    /// <summary>What messages call the rows of a query.</summary>
    public const string QueryName = "(query)";

    private readonly IReadOnlyList<DataSource> sources;
    private readonly ITableReader? tables;
    private readonly string? query;
    private readonly RowSettings settings;
    private readonly List<BadLine> badLines = [];
    private readonly SortedDictionary<string, int> ignoredKeys = new(StringComparer.Ordinal);
    private readonly Dictionary<PromptEnd, int> foundPrompts = [];
    private readonly Dictionary<DataLayout, int> layouts = [];
    // The one that is read before any other, so that what can't be opened is told at once.
    private DataRows? first;
    private ReadKind? kind;
    private int loneSurrogateCount;
    private int repeatedPromptCount;
    private int leftOutAnswerCount;
    private int partCount;
    private int fileNumber;
    private int rowCount;

    /// <param name="sources">What to read.</param>
    /// <param name="settings">How rows are read.</param>
    /// <param name="tables">What reads tables; null where there is nothing that does.</param>
    /// <param name="query">SQL over all of the files; null for their rows as they are.</param>
    /// <exception cref="RankedDataException">There is no such file, or nothing that reads it.</exception>
    public RankedLines(IReadOnlyList<DataSource> sources, RowSettings settings, ITableReader? tables = null, string? query = null)
    {
        (this.sources, this.settings, this.tables, this.query) = (sources, settings, tables, query);
        if (query is not null && tables is null)
            throw new RankedDataException(
                "A query needs a reader of tables. In code, give DuckDbTables of the package RewardModel.Data.");
        if (query is null)
            first = new DataRows(sources[0].Files[0], tables);
    }

    /// <summary>The rows with a problem, of those that were read so far.</summary>
    public IReadOnlyList<BadLine> BadLines => badLines;

    /// <summary>How many lists were read so far.</summary>
    public int ListCount { get; private set; }

    /// <summary>How much of all files was read so far, from 0 to 1; null where that can't be said.</summary>
    public double? ReadShare { get; private set; }

    /// <summary>Whether <see cref="Read"/> can be called a second time: a pipe can be read only once.</summary>
    public bool CanReadAgain => sources.SelectMany(source => source.Files).All(DataPath.CanReadAgain);

    /// <summary>
    /// Reads the rows, those with a problem too; rows of one answer come as the lists that they make together, after the others of their source.
    /// A second time, it counts anew.
    /// </summary>
    /// <exception cref="RankedDataException">A file as a whole can't be read.</exception>
    public IEnumerable<ParsedRow> Read()
    {
        badLines.Clear();
        ignoredKeys.Clear();
        foundPrompts.Clear();
        layouts.Clear();
        (loneSurrogateCount, repeatedPromptCount, leftOutAnswerCount, partCount, ListCount, fileNumber, kind) = (0, 0, 0, 0, 0, 0, null);
        for (var s = 0; s < (query is null ? sources.Count : 1); s++)
        {
            var parts = new AnswerParts();
            foreach (var row in query is null ? RowsOf(sources[s]) : RowsOfQuery())
            {
                var read = Count(row with { SourceNumber = s });
                if (read.IsPart && !settings.AreToScore)
                {
                    if (parts.ProblemOf(read.List!) is { } problem)
                    {
                        ListCount--;
                        partCount--;
                        badLines.Add(new BadLine(read.Source, problem));
                        yield return new ParsedRow(read.Source) { Problem = problem };
                        continue;
                    }
                    parts.Add(read.List!);
                }
                else
                    yield return read;
            }
            ListCount += parts.Count - partCount;
            foreach (var list in parts.Lists())
                yield return new ParsedRow(list.Source) { Lists = [list], SourceNumber = s };
        }
        if (settings.ScoreFrom is { IsUsed: false } unused && badLines.Count == 0 && ListCount > 0)
            throw new RankedDataException(
                $"--score-from '{unused.Text}' has no effect: the data give the order of their answers themselves; expected rows of one answer with "
                + "numbers, answers that are objects with numbers, or lists with attributes. Leave the option out.");
    }

    /// <summary>What was counted, about these lists.</summary>
    public RankedListFile Summary(IReadOnlyList<RankedList> lists, IReadOnlyList<TokenizedList> tokenizedLists) =>
        new(lists, tokenizedLists, [.. badLines], ignoredKeys)
        {
            LoneSurrogateCount = loneSurrogateCount,
            FoundPrompts = foundPrompts,
            RowsOfLayouts = new Dictionary<DataLayout, int>(layouts),
            RepeatedPromptCount = repeatedPromptCount,
            LeftOutAnswerCount = leftOutAnswerCount,
        };

    public void Dispose() => first?.Dispose();

    private IEnumerable<ParsedRow> RowsOf(DataSource source)
    {
        foreach (var file in source.Files)
        {
            fileNumber++;
            using var opened = first is null || file != sources[0].Files[0] ? new DataRows(file, tables) : null;
            var parser = new RowParser(settings);
            foreach (var row in (opened ?? first!).Read())
            {
                var parsed = Parsed(parser, row);
                if (++rowCount % 256 == 0)
                    ReadShare = (fileNumber - 1 + (opened ?? first!).ReadShare) / sources.Sum(one => one.Files.Count);
                yield return parsed;
            }
        }
    }

    private IEnumerable<ParsedRow> RowsOfQuery()
    {
        var files = new List<DataFile>();
        try
        {
            foreach (var path in sources.SelectMany(source => source.Files))
                files.Add(new DataFile(path));
            var parser = new RowParser(settings);
            var number = 0;
            foreach (var row in tables!.Read([.. files.Select(DataRows.TableOf)], query))
                yield return Parsed(parser, DataRow.Of(QueryName, row, ++number));
        }
        finally
        {
            foreach (var file in files)
                file.Dispose();
        }
    }

    private static ParsedRow Parsed(RowParser parser, DataRow row) =>
        row.Problem is { } problem
            ? new ParsedRow(row.Source) { Problem = problem }
            : parser.Parse(row.Utf8, row.Source) with { LoneSurrogateCount = row.LoneSurrogateCount };

    private ParsedRow Count(ParsedRow row)
    {
        var found = new ReadKind(row.Source, row.TokenizedList is not null);
        if (row.Problem is null && kind is { } expected && expected.IsTokens != found.IsTokens)
            row = row with
            {
                Lists = [],
                TokenizedList = null,
                IsPart = false,
                Problem = $"{found.Name}, expected {expected.Name} as in "
                    + $"{(expected.Source.File == row.Source.File ? expected.Source.Place : expected.Source.ToString())}: data hold one kind",
            };
        if (row.Problem is not null)
        {
            badLines.Add(new BadLine(row.Source, row.Problem));
            return row;
        }
        kind ??= found;
        loneSurrogateCount += row.LoneSurrogateCount;
        ListCount += row.TokenizedList is null ? row.Lists.Count : 1;
        partCount += row.IsPart ? 1 : 0;
        repeatedPromptCount += row.HadRepeatedPrompt ? 1 : 0;
        leftOutAnswerCount += row.LeftOutAnswerCount;
        if (row.Layout is { } layout)
            layouts[layout] = layouts.GetValueOrDefault(layout) + 1;
        if (row.PromptEnd != PromptEnd.Given)
            foundPrompts[row.PromptEnd] = foundPrompts.GetValueOrDefault(row.PromptEnd) + 1;
        foreach (var key in row.IgnoredKeys)
            ignoredKeys[key] = ignoredKeys.GetValueOrDefault(key) + 1;
        return row;
    }

    /// <summary>What the first good row holds, and all others should.</summary>
    private readonly record struct ReadKind(SourceLine Source, bool IsTokens)
    {
        public string Name => IsTokens ? "token ids" : "text";
    }
}
