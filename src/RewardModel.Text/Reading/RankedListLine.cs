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

    public static RankedListLine Parse(ReadOnlyMemory<byte> utf8, SourceLine source)
    {
        if (!Utf8.IsValid(utf8.Span))
            return Bad("not UTF-8");
        try
        {
            using var document = JsonDocument.Parse(utf8);
            return Parse(document.RootElement, source);
        }
        catch (JsonException exception)
        {
            return Bad($"invalid JSON at byte {exception.BytePositionInLine + 1}");
        }
    }

    private static RankedListLine Parse(JsonElement root, SourceLine source)
    {
        if (root.ValueKind != JsonValueKind.Object)
            return Bad(
                $"{LineFields.NameOf(root)}, expected an object such as {{\"prompt\": \"...\", \"answers\": [\"best\", \"worst\"]}}");

        var fields = new LineFields(root);
        // Made of fields that hold what they should, so only when all of them were read.
        Func<RankedList>? list = null;
        Func<TokenizedList>? tokenizedList = null;
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
                list = () => new RankedList(prompt, answers, scores, source);
                break;
            case (false, true, false) when fields.IsArray("chosen") || fields.IsArray("rejected"):
                var pair = PairOf(fields);
                list = () => RankedList.OfChat(pair(), RankedList.ScoresOfOrder(2), source);
                break;
            case (false, true, false):
                var (pairPrompt, chosen, rejected) = (fields.Text("prompt"), fields.Text("chosen"), fields.Text("rejected"));
                list = () => RankedList.BestFirst(pairPrompt, chosen, rejected) with { Source = source };
                break;
            case (false, false, true):
                var (promptIds, answerIds, idScores) =
                    (fields.TokenIds("prompt_ids"), fields.AnswerIds("answer_ids"), fields.Scores("answer_ids"));
                tokenizedList = () => new TokenizedList(promptIds, answerIds, idScores, source);
                break;
            case (false, false, false):
                fields.Reject("no answers, expected \"answers\", or \"chosen\" and \"rejected\", or \"answer_ids\"");
                break;
            default:
                fields.Reject("answers in several forms, expected one of \"answers\", \"chosen\" and \"rejected\", \"answer_ids\"");
                break;
        }
        return fields.Problems.Count == 0
            ? new RankedListLine(list?.Invoke(), tokenizedList?.Invoke(), fields.UnusedKeys, Problem: null)
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

    private static Conversation ConversationOf(LineFields fields, ChatMessage[] messages) => new(messages) { Tools = fields.Tools() };

    private static RankedListLine Bad(string problem) => new(null, null, [], problem);

    private static string Join(IReadOnlyList<string> problems) =>
        string.Join("; ", problems.Take(MaxProblemsShown))
        + (problems.Count > MaxProblemsShown ? $"; and {problems.Count - MaxProblemsShown} more" : "");
}
