using System.Text.Json;
using System.Text.Unicode;
using RewardModel.Layouts;
using RewardModel.Lists;

namespace RewardModel.Reading;

/// <summary>A text or a conversation of a file.</summary>
/// <param name="Text">The text; null for a conversation.</param>
/// <param name="Conversation">The conversation; null for a text.</param>
/// <param name="Source">Where it was read from.</param>
internal sealed record TextLine(string? Text, Conversation? Conversation, SourceLine Source)
{
    /// <summary>How many escaped lone surrogates, halves of characters, were read as U+FFFD.</summary>
    public int LoneSurrogateCount { get; init; }
}

/// <summary>
/// Reads texts and conversations from JSON lines, as <see cref="RankedListReader"/> reads lists: <c>{"text": "..."}</c> or
/// <c>{"messages": [...]}</c>, this with <c>"tools"</c> and <c>"system"</c> if there are any. Other keys are passed over. A ranked list is
/// read as its answers, each with its prompt.
/// </summary>
internal static class TextLines
{
    /// <summary>Reads a whole file.</summary>
    /// <exception cref="RankedDataException">The file can't be read, or has bad lines: all of them are listed.</exception>
    public static IReadOnlyList<TextLine> Read(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        var lines = new List<TextLine>();
        var badLines = new List<BadLine>();
        var parser = new RowParser(new RowSettings());
        foreach (var (source, utf8, loneSurrogateCount) in DataRows.Read(path))
            if (Parse(utf8, source, out var problem) is { } line)
                lines.Add(line with { LoneSurrogateCount = loneSurrogateCount });
            else if (parser.Parse(utf8, source).List is { } list)
                lines.AddRange(AnswersOf(list).Select(answer => answer with { LoneSurrogateCount = loneSurrogateCount }));
            else
                badLines.Add(new BadLine(source, problem));
        return badLines.Count == 0 ? lines : throw new RankedDataException(path, badLines);
    }

    private static IEnumerable<TextLine> AnswersOf(RankedList list) => list.Chat is { } chat
        ? chat.Answers.Select(answer => new TextLine(
            null, chat.Prompt with { Messages = [.. chat.Prompt.Messages, .. answer] }, list.Source))
        : list.Answers.Select(answer => new TextLine(list.Prompt + answer, null, list.Source));

    private static TextLine? Parse(ReadOnlyMemory<byte> utf8, SourceLine source, out string problem)
    {
        problem = "";
        if (!Utf8.IsValid(utf8.Span))
        {
            problem = "not UTF-8";
            return null;
        }
        try
        {
            using var document = JsonDocument.Parse(utf8);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                problem = $"{RowFields.NameOf(document.RootElement)}, expected an object such as {{\"text\": \"...\"}}";
                return null;
            }
            var fields = new RowFields(document.RootElement);
            if (fields.Has("text") == fields.Has("messages"))
                fields.Reject("expected either \"text\" or \"messages\"");
            var line = fields.Has("messages")
                ? new TextLine(null, OwnLayout.ConversationOf(fields, fields.Messages("messages")), source)
                : new TextLine(fields.Text("text"), null, source);
            problem = string.Join("; ", fields.Problems);
            return fields.Problems.Count == 0 ? line : null;
        }
        catch (JsonException exception)
        {
            problem = RowParser.InvalidJson(exception, source);
            return null;
        }
    }
}
