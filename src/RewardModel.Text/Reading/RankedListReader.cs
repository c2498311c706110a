using RewardModel.Layouts;
using RewardModel.Lists;

namespace RewardModel.Reading;

/// <summary>
/// Reads ranked lists from JSON lines: one JSON object a line, UTF-8 with or without byte order mark, plain or gzip; empty
/// lines are passed over. A JSON array of such objects is read as its items, and objects over several lines are read as well. What a file
/// is otherwise (Parquet, CSV and so on) is told in one sentence.
/// </summary>
/// <remarks>
/// A line is one of
/// <code>
/// {"prompt": "...", "answers": ["best", ..., "worst"]}
/// {"prompt": "...", "chosen": "...", "rejected": "..."}
/// {"messages": [{"role": "user", "content": "..."}], "answers": ["best", ..., "worst"]}
/// {"prompt": [messages], "chosen": [messages], "rejected": [messages]}
/// {"chosen": [messages], "rejected": [messages]}
/// {"chosen": "whole dialogue", "rejected": "whole dialogue"}
/// {"prompt_ids": [1, 5], "answer_ids": [[7, 2], [8, 9, 2]]}
/// </code>
/// Those with "answers" or "answer_ids" may say how good each answer is instead of giving them best first: <c>"scores"</c> (finite numbers,
/// higher is better) or <c>"ranks"</c> (integers, 1 is best, read as scores -1, -2, ...); equal values are ties. An answer to messages
/// is the text of the assistant's message, or an array of messages; pairs of messages without a prompt have it as their common start, and
/// so have pairs of texts, back to the last turn (a line that starts with a word and a colon, as <c>Assistant:</c>) or else to the last
/// word. The scores of a pair may be given as <c>"score_chosen"</c> and <c>"score_rejected"</c>. Any line may have a <c>"margin"</c>, by which
/// the rewards of its pairs should be apart (a finite number, 0 or more), and a <c>"weight"</c>, which its loss is multiplied with (a finite
/// number above 0). Beside messages, <c>"tools"</c> may hold
/// the JSON schemas of tools, and <c>"system"</c> the text of a system message before them. Escaped lone surrogates are read as U+FFFD and
/// counted. A key whose value is null counts as absent. A file holds text and messages, or token ids, as its first good line does. Lists
/// that have no pair to compare (one answer, or all tied) are read like any other: they can be scored.
/// </remarks>
public static class RankedListReader
{
    /// <summary>Reads a whole file.</summary>
    /// <param name="path">
    /// The file, which may be a pipe, or - for standard input; lists and messages carry it as it is given here.
    /// </param>
    /// <param name="badData">What to do with lines that do not hold a ranked list.</param>
    /// <exception cref="RankedDataException">
    /// The file is not there, is no JSON, is damaged gzip or not the gzip file that its name promises, or it has bad lines and these are
    /// errors.
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
        // The path is that of a file, whatever signs it has.
        using var lines = new RankedLines([new DataSource(path, 1, [path])], new RowSettings());
        var lists = new List<RankedList>();
        var tokenizedLists = new List<TokenizedList>();
        foreach (var line in lines.Read().Where(line => line.Problem is null))
        {
            lists.AddRange(line.Lists);
            if (line.TokenizedList is not null)
                tokenizedLists.Add(line.TokenizedList);
        }
        if (lines.BadLines.Count > 0 && badData == BadData.Error)
            throw new RankedDataException(path, lines.BadLines);
        return lines.Summary(lists, tokenizedLists);
    }
}
