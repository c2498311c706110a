using System.Text.Json;
using System.Text.Unicode;
using RewardModel.Lists;

namespace RewardModel.Reading;

/// <summary>One line of a file of ranked lists.</summary>
/// <param name="List">The list, if the line holds text.</param>
/// <param name="TokenizedList">The list, if the line holds token ids.</param>
/// <param name="IgnoredKeys">Keys that have no meaning in this line.</param>
/// <param name="Problem">What is wrong with the line; null when it holds a list.</param>
internal sealed record RankedListLine(
    RankedList? List, TokenizedList? TokenizedList, IReadOnlyList<string> IgnoredKeys, string? Problem)
{
    private const int MaxProblemsShown = 5;

    // One answer, which can be scored but not ranked.
    private static readonly string[] singleAnswerKeys = ["response", "answer", "completion"];

    /// <summary>Where it was read from.</summary>
    public SourceLine Source { get; init; }

    /// <summary>The JSON object of the line, where it is one and was asked for.</summary>
    public JsonElement? Row { get; init; }

    /// <summary>Whether the line gives one answer by itself, not a list of them.</summary>
    public bool IsSingle { get; init; }

    /// <summary>How the end of the prompt was found.</summary>
    public PromptEnd PromptEnd { get; init; }

    /// <summary>Reads a line.</summary>
    /// <param name="utf8">The line, or the item of an array.</param>
    /// <param name="source">Where it is.</param>
    /// <param name="isToScore">Whether it may be an answer by itself, and <see cref="Row"/> is wanted.</param>
    public static RankedListLine Parse(ReadOnlyMemory<byte> utf8, SourceLine source, bool isToScore = false)
    {
        if (!Utf8.IsValid(utf8.Span))
            return Bad("not UTF-8") with { Source = source };
        try
        {
            using var document = JsonDocument.Parse(utf8);
            var root = document.RootElement;
            return Parse(root, source, isToScore) with
            {
                Source = source,
                Row = isToScore && root.ValueKind == JsonValueKind.Object ? root.Clone() : null,
            };
        }
        catch (JsonException exception)
        {
            return Bad(InvalidJson(exception, source)) with { Source = source };
        }
    }

    /// <summary>Where JSON is wrong: an item of an array may have several lines.</summary>
    internal static string InvalidJson(JsonException exception, SourceLine source) =>
        $"invalid JSON at byte {exception.BytePositionInLine + 1}"
        + (exception.LineNumber > 0 ? $" of line {source.Line + exception.LineNumber}" : "");

    internal static Conversation ConversationOf(LineFields fields, ChatMessage[] messages) =>
        new(fields.WithSystem(messages)) { Tools = fields.Tools() };

    private static RankedListLine Parse(JsonElement root, SourceLine source, bool isToScore)
    {
        if (root.ValueKind != JsonValueKind.Object)
            return Bad(
                $"{LineFields.NameOf(root)}, expected an object such as {{\"prompt\": \"...\", \"answers\": [\"best\", \"worst\"]}}");

        var fields = new LineFields(root);
        // Made of fields that hold what they should, so only when all of them were read.
        Func<RankedList>? list = null;
        Func<TokenizedList>? tokenizedList = null;
        var promptEnd = PromptEnd.Given;
        var isSingle = false;
        switch (fields.Has("answers"), fields.Has("chosen") || fields.Has("rejected"), fields.Has("answer_ids"))
        {
            case (true, false, false) when fields.Has("messages"):
                if (fields.Has("prompt"))
                    fields.Reject("\"prompt\" and \"messages\" are both given, expected one of them");
                var conversation = ConversationOf(fields, fields.Messages("messages"));
                var (chatAnswers, chatScores) = (fields.AnswerMessages("answers"), fields.Scores("answers"));
                list = () => RankedList.OfChat(new RankedChat(conversation, chatAnswers), chatScores, source);
                break;
            case (true, false, false):
                var (prompt, answers, scores) = (fields.Text("prompt"), fields.Texts("answers"), fields.Scores("answers"));
                fields.RejectSystem();
                list = () => new RankedList(prompt, answers, scores, source);
                break;
            case (false, true, false) when fields.IsArray("chosen") || fields.IsArray("rejected"):
                var (pair, chatPairScores) = (PairOf(fields), fields.PairScores());
                list = () => RankedList.OfChat(pair(), chatPairScores, source);
                break;
            case (false, true, false):
                var (pairPrompt, chosen, rejected) = !fields.Has("prompt") && fields.AreTexts("chosen", "rejected")
                    ? DialoguesOf(fields, out promptEnd)
                    : (fields.Text("prompt"), fields.Text("chosen"), fields.Text("rejected"));
                var pairScores = fields.PairScores();
                fields.RejectSystem();
                list = () => new RankedList(pairPrompt, [chosen, rejected], pairScores, source);
                break;
            case (false, false, true):
                var (promptIds, answerIds, idScores) =
                    (fields.TokenIds("prompt_ids"), fields.AnswerIds("answer_ids"), fields.Scores("answer_ids"));
                tokenizedList = () => new TokenizedList(promptIds, answerIds, idScores, source);
                break;
            case (false, false, false) when isToScore:
                list = SingleOf(fields, source);
                isSingle = true;
                break;
            case (false, false, false):
                fields.Reject("no answers, expected \"answers\", or \"chosen\" and \"rejected\", or \"answer_ids\"");
                break;
            default:
                fields.Reject("answers in several forms, expected one of \"answers\", \"chosen\" and \"rejected\", \"answer_ids\"");
                break;
        }
        // What is scored has no loss.
        var (margin, weight) = isToScore ? (null, 1) : (fields.Margin(), fields.Weight());
        return fields.Problems.Count == 0
            ? new RankedListLine(
                list is null ? null : list() with { ScoresAreOrder = fields.ScoresAreOrder, Margin = margin, Weight = weight },
                tokenizedList is null
                    ? null
                    : tokenizedList() with { ScoresAreOrder = fields.ScoresAreOrder, Margin = margin, Weight = weight },
                fields.UnusedKeys, Problem: null)
            {
                PromptEnd = promptEnd,
                IsSingle = isSingle,
            }
            : Bad(Join(fields.Problems));
    }

    /// <summary>
    /// A pair of message lists. Without a prompt of messages, the prompt is what both start with; a prompt that is a string is then the
    /// text of messages that both lists have as well.
    /// </summary>
    private static Func<RankedChat> PairOf(LineFields fields)
    {
        ChatMessage[] chosen = fields.Messages("chosen"), rejected = fields.Messages("rejected");
        if (fields.IsArray("prompt"))
        {
            var prompt = ConversationOf(fields, fields.Messages("prompt"));
            return () => new RankedChat(prompt, [chosen, rejected]);
        }
        fields.Ignore("prompt");
        var common = chosen.Zip(rejected).TakeWhile(pair => JsonElement.DeepEquals(pair.First.Json, pair.Second.Json)).Count();
        if (fields.Problems.Count == 0 && common == 0)
            fields.Reject("\"chosen\" and \"rejected\" start with different messages, expected a \"prompt\" of messages or a common start");
        if (fields.Problems.Count == 0 && common == Math.Min(chosen.Length, rejected.Length))
            fields.Reject("\"chosen\" or \"rejected\" has nothing after the messages that both start with");
        var start = ConversationOf(fields, chosen[..common]);
        return () => new RankedChat(start, [chosen[common..], rejected[common..]]);
    }

    /// <summary>Two whole dialogues as texts: the prompt is what both start with.</summary>
    private static (string Prompt, string Chosen, string Rejected) DialoguesOf(LineFields fields, out PromptEnd end)
    {
        string chosen = fields.Text("chosen"), rejected = fields.Text("rejected");
        (var length, end) = CommonStart.Of(chosen, rejected);
        if (chosen == rejected)
            fields.Reject("\"chosen\" and \"rejected\" are the same text, expected two answers to one prompt");
        else if (length == 0)
            fields.Reject(
                "\"prompt\" is missing, and \"chosen\" and \"rejected\" do not start with the same words; expected a \"prompt\", "
                + "which may be \"\", or a common start");
        else if (string.IsNullOrWhiteSpace(chosen[length..]) || string.IsNullOrWhiteSpace(rejected[length..]))
            fields.Reject("\"chosen\" or \"rejected\" has nothing after the text that both start with, expected an answer");
        return (chosen[..length], chosen[length..], rejected[length..]);
    }

    /// <summary>One answer, a conversation that ends with one, or a text as a whole.</summary>
    private static Func<RankedList> SingleOf(LineFields fields, SourceLine source)
    {
        string[] keys = [.. singleAnswerKeys.Concat(["text"]).Where(fields.Has)];
        if (keys.Length > 1)
            fields.Reject($"{string.Join(" and ", keys.Select(key => $"\"{key}\""))} are given, expected one of them");
        if (keys is ["text"] && fields.Has("messages"))
            fields.Reject("\"text\" and \"messages\" are given, expected one of them");
        if (fields.Has("messages") && fields.Has("prompt"))
            fields.Reject("\"prompt\" and \"messages\" are both given, expected one of them");
        if (keys is ["text"])
        {
            var text = fields.Text("text");
            fields.RejectSystem();
            return () => new RankedList("", [text], [0], source) { IsWholeText = true };
        }
        var promptKey = fields.Has("messages") ? "messages" : "prompt";
        if (keys is [var key] && (promptKey == "messages" || fields.IsArray(promptKey)))
        {
            var (prompt, answer) = (ConversationOf(fields, fields.Messages(promptKey)), fields.Answer(key));
            return () => RankedList.OfChat(new RankedChat(prompt, [answer]), [0], source);
        }
        if (keys is [var textKey])
        {
            var (prompt, answer) = (fields.Text(promptKey), fields.Text(textKey));
            fields.RejectSystem();
            return () => new RankedList(prompt, [answer], [0], source);
        }
        if (fields.Has("messages"))
        {
            var messages = fields.Messages("messages");
            if (fields.Problems.Count == 0 && (messages.Length < 2 || messages[^1].Role != "assistant"))
                fields.Reject(
                    $"\"messages\" end with a message of '{messages[^1].Role}', expected messages that end with the assistant's answer to "
                    + "those before, or \"answers\" beside them");
            var prompt = ConversationOf(fields, messages[..Math.Max(0, messages.Length - 1)]);
            return () => RankedList.OfChat(new RankedChat(prompt, [[messages[^1]]]), [0], source);
        }
        if (keys.Length == 0)
            fields.Reject(
                "no answers, expected \"answers\", or \"chosen\" and \"rejected\", or \"answer_ids\", or one answer: \"response\", "
                + "\"answer\" or \"completion\", or \"messages\" that end with it, or \"text\"");
        return () => throw new InvalidOperationException();
    }

    private static RankedListLine Bad(string problem) => new(null, null, [], problem);

    private static string Join(IReadOnlyList<string> problems) =>
        string.Join("; ", problems.Take(MaxProblemsShown))
        + (problems.Count > MaxProblemsShown ? $"; and {problems.Count - MaxProblemsShown} more" : "");
}
