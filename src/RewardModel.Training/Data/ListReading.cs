using Microsoft.Extensions.Logging;
using RewardModel.Layouts;
using RewardModel.Lists;
using RewardModel.Reading;
using RewardModel.Scoring;

namespace RewardModel.Training.Data;

/// <summary>
/// Reads ranked lists and turns them into token ids, some hundreds at a time: one thread reads, the others encode, and what is kept of a list
/// is its ids in a compact form. Everything that is left out or cut is logged.
/// </summary>
/// <param name="model">Its tokenizer and its rule are used, and its maximum length.</param>
/// <param name="logger">Told what is left out, ignored, replaced or cut.</param>
internal sealed class ListReading(ScoringModel model, ILogger logger)
{
    /// <summary>Enough lists for all threads, and few enough to hold some groups of them at once.</summary>
    private const int groupSize = 1024;

    /// <summary>What the lists are for.</summary>
    public ListPurpose Purpose { get; init; }

    /// <summary>The directory that tokenised lists are kept in, and taken from; null for none.</summary>
    public string? Cache { get; init; }

    /// <summary>Whether lists that are in no cache are kept at all: not where they are only seen.</summary>
    public bool KeepsLists { get; init; } = true;

    /// <summary>
    /// A directory for files of lists that are many and not to be kept in a cache, each of which goes with its lists; null: these lie in memory.
    /// </summary>
    public string? Overflow { get; init; }

    /// <summary>Bytes of files, as they lie, from which on their lists are many. Lists of text have about as many as the text.</summary>
    public long MostBytesInMemory { get; init; } = 1 << 28;

    /// <summary>
    /// The key of the lists in the cache, where another process has just found or made them there; null: it is worked out, of all bytes of the
    /// files. Afterwards the key that they have.
    /// </summary>
    public string? Key { get; set; }

    /// <summary>Told how many lists are done, and how many there seem to be.</summary>
    public IProgress<ListProgress>? Progress { get; init; }

    /// <summary>Ends the work before the next lists.</summary>
    public CancellationToken Cancellation { get; init; }

    /// <summary>
    /// What else is kept in the cache beside the lists, as a text, and a name of what it is: asked for when all lists were seen.
    /// </summary>
    public (string Name, Func<string> Make)? Extra { get; init; }

    /// <summary>Sees every list that is kept, with what the tokenizer made of it; not those of a cache. Null for nobody.</summary>
    public Action<RankedList?, TokenizedList, TruncationCount>? Seen { get; init; }

    /// <summary>Reads files, which say what to do with bad rows, and with lists that the tokenizer or its chat template rejects.</summary>
    /// <returns>Their lists; the caller's.</returns>
    /// <exception cref="RankedDataException">Files can't be read, or have bad rows, or their lists are rejected: all are named.</exception>
    public CompactLists Read(RankedListFiles files)
    {
        var whyNoCache = Cache is null ? null : DataKey.WhyNone(files);
        if (whyNoCache is not null)
            logger.LogWarning("{Name}: not taken from the cache, nor kept there: {Reason}", files.Name, whyNoCache);
        var isKnown = Key is not null;
        var key = Cache is null || whyNoCache is not null ? null : Key ??= DataKey.Of(files, model, Purpose, Extra?.Name, Cancellation);
        if (key is not null && new ListCache(Cache!).TryOpen(key, out var lists, isKnown))
        {
            logger.LogInformation("{Name}: {Lists} of the cache '{Cache}'", files.Name, Counted.Of(lists.Count, "list"), Cache);
            DataLog.Log(DataNotes.Parse(lists.Notes), model.Rule.MaxLength, logger);
            return lists;
        }
        using var rows = files.Open(areToScore: Purpose == ListPurpose.Scoring);
        using var writer = key is not null ? new ListCache(Cache!).Create(key)
            : !KeepsLists ? new CompactListsWriter(new NoListStore())
            : Overflow is not null && BytesOf(files) > MostBytesInMemory ? new ListCache(Overflow).Create(files.Paths.ToString(), isTemporary: true)
            : new CompactListsWriter();
        return Read(rows.Read(), () => DataNotes.Of(files.Name, rows.Summary([], []), rows.ListCount), () => rows.ReadShare, files.OnBadData, writer);
    }

    /// <summary>Reads lists from elsewhere.</summary>
    /// <param name="source">The lists; files say themselves what to do with what is bad.</param>
    /// <param name="onBadData">What to do with lists that the tokenizer or its chat template rejects.</param>
    /// <inheritdoc cref="Read(RankedListFiles)"/>
    public CompactLists Read(IRankedListSource source, BadData onBadData)
    {
        if (source is RankedListFiles files)
            return Read(files);
        var count = 0;
        using var writer = new CompactListsWriter();
        return Read(RowsOf(source), () => new DataNotes(source.Name) { ReadCount = count }, () => null, onBadData, writer);

        IEnumerable<ParsedRow> RowsOf(IRankedListSource source)
        {
            foreach (var list in source.ReadAsync(Cancellation).ToBlockingEnumerable(Cancellation))
            {
                count++;
                var place = list.Source.Line > 0 ? list.Source : new SourceLine(source.Name, count) { IsRow = true };
                yield return new ParsedRow(place) { Lists = [list with { Source = place }] };
            }
        }
    }

    private static long BytesOf(RankedListFiles files) =>
        DataSource.Of(files.Paths).SelectMany(source => source.Files).Where(DataPath.CanReadAgain).Sum(path => new FileInfo(path).Length);

    private CompactLists Read(IEnumerable<ParsedRow> rows, Func<DataNotes> notesOf, Func<double?> readShareOf, BadData onBadData, CompactListsWriter writer)
    {
        var rejected = new List<BadLine>();
        var cut = default(TruncationCount);
        var doneCount = 0;
        // Three things at once: reading, encoding, and keeping what was encoded.
        foreach (var group in ReadAhead.Of(Tokenize(ReadAhead.Of(rows.Chunk(groupSize), 2), onBadData), 1))
        {
            rejected.AddRange(group.Rejected);
            foreach (var (row, list, ids, itsCut) in group.Lists)
            {
                cut += itsCut;
                writer.Add(ids, list is null ? ListKeys.Of(row.TokenizedList!, row.SourceNumber) : ListKeys.Of(list, row.SourceNumber), itsCut.IsCut);
                Seen?.Invoke(list, ids, itsCut);
            }
            doneCount += group.Lists.Count;
            Progress?.Report(new ListProgress(doneCount, readShareOf() is { } share and > 0 ? (int)Math.Max(doneCount, doneCount / share) : doneCount));
        }
        var notes = notesOf() with { Rejected = rejected, Cut = cut };
        if (onBadData == BadData.Error && notes.BadLines.Count > 0)
            throw RankedDataException.Of(notes.BadLines);
        if (onBadData == BadData.Error && rejected.Count > 0)
            throw RankedDataException.Of(rejected);
        DataLog.Log(notes, model.Rule.MaxLength, logger);
        DataLog.CheckAnyIsLeft(notes.Name, notes.ReadCount, rejected.Count);
        return writer.Finish((notes with { Extra = Extra?.Make() }).ToJson());
    }

    /// <summary>What the tokenizer makes of rows.</summary>
    private IEnumerable<TokenizedRows> Tokenize(IEnumerable<ParsedRow[]> groups, BadData onBadData)
    {
        var hasProblem = false;
        foreach (var group in groups)
        {
            Cancellation.ThrowIfCancellationRequested();
            hasProblem |= group.Any(row => row.Problem is not null);
            // What is an error in any case is read on for other rows like it, and not encoded.
            if (!hasProblem || onBadData == BadData.Skip)
                yield return Tokenize(group);
        }
    }

    private TokenizedRows Tokenize(ParsedRow[] rows)
    {
        var texts = rows.SelectMany(row => row.Lists.Select(list => (Row: row, List: list))).ToArray();
        RankedList[] lists = [.. texts.Select(text => text.List)];
        var results = lists.Length == 0 ? [] : model.TryTokenize(Purpose == ListPurpose.Training ? lists : model.ToScore(lists), null, Cancellation);
        var tokenized = new TokenizedRows([], []);
        foreach (var ((row, list), result) in texts.Zip(results))
            if (result.List is { } ids)
                tokenized.Lists.Add((row, ids.AnswerIds.Count < list.Answers.Count ? list.FirstSteps(ids.AnswerIds.Count) : list, ids, result.Cut));
            else
                tokenized.Rejected.Add(DataLog.BadLineOf(list, result.Rejection!));
        foreach (var row in rows.Where(row => row.TokenizedList is not null))
        {
            var (ids, cut) = model.Truncate([row.TokenizedList!]);
            tokenized.Lists.Add((row, null, ids[0], cut));
        }
        return tokenized;
    }

    /// <summary>Rows as token ids, and those that the tokenizer rejects.</summary>
    private sealed record TokenizedRows(
        List<(ParsedRow Row, RankedList? List, TokenizedList Ids, TruncationCount Cut)> Lists, List<BadLine> Rejected);
}
