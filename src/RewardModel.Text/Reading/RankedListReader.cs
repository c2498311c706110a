using RewardModel.Lists;

namespace RewardModel.Reading;

/// <summary>
/// Reads ranked lists from JSON lines: one JSON object a line, UTF-8 with or without byte order mark, plain or gzip; empty
/// lines are passed over.
/// </summary>
/// <remarks>
/// A line is one of
/// <code>
/// {"prompt": "...", "answers": ["best", ..., "worst"]}
/// {"prompt": "...", "chosen": "...", "rejected": "..."}
/// {"messages": [{"role": "user", "content": "..."}], "answers": ["best", ..., "worst"]}
/// {"prompt": [messages], "chosen": [messages], "rejected": [messages]}
/// {"chosen": [messages], "rejected": [messages]}
/// {"prompt_ids": [1, 5], "answer_ids": [[7, 2], [8, 9, 2]]}
/// </code>
/// Those with "answers" or "answer_ids" may say how good each answer is instead of giving them best first: <c>"scores"</c> (finite numbers,
/// higher is better) or <c>"ranks"</c> (integers, 1 is best, read as scores -1, -2, ...); equal values are ties. An answer to messages
/// is the text of the assistant's message, or an array of messages; pairs of messages without a prompt have it as their common start.
/// Beside messages, <c>"tools"</c> may hold the JSON schemas of tools. Escaped lone surrogates are read as U+FFFD and counted. A key whose
/// value is null counts as absent. A file holds text and messages, or token ids, as its first good line does. Lists that have no pair to
/// compare (one answer, or all tied) are read like any other: they can be scored.
/// </remarks>
public static class RankedListReader
{
    /// <summary>Reads a whole file.</summary>
    /// <param name="path">The file; lists and messages carry it as it is given here.</param>
    /// <param name="badData">What to do with lines that do not hold a ranked list.</param>
    /// <exception cref="RankedDataException">
    /// The file is not there, is damaged gzip or not the gzip file that its name promises, or it has bad lines and these are errors.
    /// </exception>
    /// <example>
    /// <code>
    /// var file = RankedListReader.Read("train.jsonl", BadData.Skip);
    /// foreach (var bad in file.BadLines)
    ///     Console.WriteLine(bad);
    /// Console.WriteLine($"{file.Lists.Count} lists of text, {file.TokenizedLists.Count} of token ids");
    /// </code>
    /// </example>
    public static RankedListFile Read(string path, BadData badData = BadData.Error)
    {
        ArgumentNullException.ThrowIfNull(path);
        var lists = new List<RankedList>();
        var tokenizedLists = new List<TokenizedList>();
        var badLines = new List<BadLine>();
        var ignoredKeys = new SortedDictionary<string, int>(StringComparer.Ordinal);

        var loneSurrogateCount = 0;
        foreach (var (source, utf8, loneSurrogates) in JsonLines.Read(path))
        {
            var line = RankedListLine.Parse(utf8, source);
            var reason = line.Problem ?? OtherKind(line, lists, tokenizedLists);
            if (reason is not null)
            {
                badLines.Add(new BadLine(source, reason));
                continue;
            }
            if (line.List is not null)
                lists.Add(line.List);
            if (line.TokenizedList is not null)
                tokenizedLists.Add(line.TokenizedList);
            loneSurrogateCount += loneSurrogates;
            foreach (var key in line.IgnoredKeys)
                ignoredKeys[key] = ignoredKeys.GetValueOrDefault(key) + 1;
        }

        if (badLines.Count > 0 && badData == BadData.Error)
            throw new RankedDataException(path, badLines);
        return new RankedListFile(lists, tokenizedLists, badLines, ignoredKeys) { LoneSurrogateCount = loneSurrogateCount };
    }

    private static string? OtherKind(RankedListLine line, List<RankedList> lists, List<TokenizedList> tokenizedLists) => line switch
    {
        { List: not null } when tokenizedLists.Count > 0 =>
            $"text, expected token ids as in line {tokenizedLists[0].Source.Line}: a file holds one kind",
        { TokenizedList: not null } when lists.Count > 0 =>
            $"token ids, expected text as in line {lists[0].Source.Line}: a file holds one kind",
        _ => null,
    };
}
