using RewardModel.Lists;

namespace RewardModel.Layouts;

/// <summary>
/// The layout of this library: a prompt or messages with answers, a pair of texts or of messages, or token ids. What is to be scored only may
/// be an answer by itself.
/// </summary>
internal static class OwnLayout
{
    /// <summary>The layout, which is what a row is taken for that is of no other.</summary>
    public static readonly DataLayout Lists = new("lists", "ranked lists", [], null, Read)
    {
        OtherKeys =
        [
            "prompt", "answers", "scores", "ranks", "chosen", "rejected", "score_chosen", "score_rejected", "messages", "system",
            "response", "answer", "completion", "text", "margin", "weight", "attributes",
        ],
    };

    // One answer, which can be scored but not ranked.
    private static readonly string[] singleAnswerKeys = ["response", "answer", "completion"];

    /// <summary>Whether a row has the keys of this layout, so that what is wrong with it is wrong in its terms.</summary>
    public static bool IsOwn(RowFields fields) =>
        fields.Has("answers") || fields.Has("chosen") || fields.Has("rejected") || fields.Has("answer_ids") || fields.IsToScore
        || IsWhole(fields);

    public static RowReading Read(RowFields fields)
    {
        var source = fields.Source;
        switch (fields.Has("answers"), fields.Has("chosen") || fields.Has("rejected"), fields.Has("answer_ids"))
        {
            case (true, false, false) when fields.Has("messages"):
                if (fields.Has("prompt"))
                    fields.Reject("\"prompt\" and \"messages\" are both given, expected one of them");
                var conversation = ConversationOf(fields, fields.Messages("messages"));
                var chatAnswers = fields.AnswerMessages("answers");
                var chatAttributes = fields.AttributesOfAnswers(chatAnswers.Length);
                var chatScores = fields.Scores("answers", chatAttributes);
                return RowReading.OfChat(fields, conversation, chatAnswers, chatScores, fields.ScoresAreOrder) with { Attributes = chatAttributes };
            case (true, false, false):
                var (prompt, answers) = (fields.Text("prompt"), fields.Texts("answers"));
                var attributes = fields.AttributesOfAnswers(answers.Length);
                var scores = fields.Scores("answers", attributes);
                return RowReading.OfTexts(fields, prompt, answers, scores, fields.ScoresAreOrder) with { Attributes = attributes };
            case (false, true, false) when fields.IsArray("chosen") || fields.IsArray("rejected"):
                var ((chatPrompt, pair), chatPairScores) = (PairOf(fields), fields.PairScores());
                var attributesOfChats = fields.AttributesOfAnswers(pair.Length);
                return RowReading.OfChat(fields, chatPrompt, pair, chatPairScores, fields.ScoresAreOrder) with { Attributes = attributesOfChats };
            case (false, true, false):
                var promptEnd = PromptEnd.Given;
                var (pairPrompt, chosen, rejected) = !fields.Has("prompt") && fields.AreTexts("chosen", "rejected")
                    ? DialoguesOf(fields, out promptEnd)
                    : (fields.Text("prompt"), fields.Text("chosen"), fields.Text("rejected"));
                var (pairScores, attributesOfPair) = (fields.PairScores(), fields.AttributesOfAnswers(answerCount: 2));
                return RowReading.OfTexts(fields, pairPrompt, [chosen, rejected], pairScores, fields.ScoresAreOrder) with
                {
                    PromptEnd = promptEnd,
                    Attributes = attributesOfPair,
                };
            case (false, false, true):
                var (promptIds, answerIds) = (fields.TokenIds("prompt_ids"), fields.AnswerIds("answer_ids"));
                var attributesOfIds = fields.AttributesOfAnswers(answerIds.Length);
                var idScores = fields.Scores("answer_ids", attributesOfIds);
                return new RowReading
                {
                    TokenizedList = () => new TokenizedList(promptIds, answerIds, idScores, source),
                    Attributes = attributesOfIds,
                };
            case (false, false, false) when fields.IsToScore:
                return SingleOf(fields) with { IsSingle = true };
            case (false, false, false) when IsWhole(fields):
                return new RowReading { Whole = WholeOf(fields) };
            case (false, false, false):
                fields.Reject(
                    "no answers, expected \"answers\", or \"chosen\" and \"rejected\", or \"answer_ids\""
                    + (fields.MayBeWhole ? ", or \"text\" or \"messages\" alone" : "")
                    + (fields.Keys.Count == 0
                        ? ""
                        : $"; found {string.Join(", ", fields.Keys.Take(8).Select(key => $"\"{key}\""))}{(fields.Keys.Count > 8 ? ", ..." : "")}, "
                            + "of which --query can make them"));
                return new RowReading();
            default:
                fields.Reject("answers in several forms, expected one of \"answers\", \"chosen\" and \"rejected\", \"answer_ids\"");
                return new RowReading();
        }
    }

    private static bool IsWhole(RowFields fields) => fields.MayBeWhole && (fields.Has("text") || fields.Has("messages"));

    /// <summary>One text, or one conversation.</summary>
    private static WholeText WholeOf(RowFields fields)
    {
        if (fields.Has("text") && fields.Has("messages"))
            fields.Reject("\"text\" and \"messages\" are given, expected one of them");
        if (fields.Has("messages"))
            return new WholeText(null, ConversationOf(fields, fields.Messages("messages")));
        fields.RejectSystem();
        return new WholeText(fields.Text("text"), null);
    }

    /// <summary>The messages of a row with its system message and its tools.</summary>
    public static Conversation ConversationOf(RowFields fields, ChatMessage[] messages) =>
        new(fields.WithSystem(messages)) { Tools = fields.Tools() };

    /// <summary>
    /// A pair of message lists. Without a prompt of messages, the prompt is what both start with; a prompt that is a string is then the
    /// text of messages that both lists have as well.
    /// </summary>
    private static (Conversation Prompt, ChatMessage[][] Answers) PairOf(RowFields fields)
    {
        ChatMessage[] chosen = fields.Messages("chosen"), rejected = fields.Messages("rejected");
        if (fields.IsArray("prompt"))
            return (ConversationOf(fields, fields.Messages("prompt")), [chosen, rejected]);
        fields.Ignore("prompt");
        var (start, answers) = CommonStart.Of(fields, ("chosen", chosen), ("rejected", rejected), "a \"prompt\" of messages or a common start");
        return (ConversationOf(fields, start), answers);
    }

    /// <summary>Two whole dialogues as texts: the prompt is what both start with.</summary>
    private static (string Prompt, string Chosen, string Rejected) DialoguesOf(RowFields fields, out PromptEnd end)
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
    private static RowReading SingleOf(RowFields fields)
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
            return RowReading.Of(() => new RankedList("", [text], [0], fields.Source) { IsWholeText = true });
        }
        var promptKey = fields.Has("messages") ? "messages" : "prompt";
        if (keys is [var key] && (promptKey == "messages" || fields.IsArray(promptKey)))
        {
            var (prompt, answer) = (ConversationOf(fields, fields.Messages(promptKey)), fields.Answer(key));
            return RowReading.OfChat(fields, prompt, [answer], [0], areOrder: true);
        }
        if (keys is [var textKey])
        {
            var (prompt, answer) = (fields.Text(promptKey), fields.Text(textKey));
            return RowReading.OfTexts(fields, prompt, [answer], [0], areOrder: true);
        }
        if (fields.Has("messages"))
        {
            var messages = fields.Messages("messages");
            if (fields.Problems.Count == 0 && (messages.Length < 2 || messages[^1].Role != "assistant"))
                fields.Reject(
                    $"\"messages\" end with a message of '{messages[^1].Role}', expected messages that end with the assistant's answer to "
                    + "those before, or \"answers\" beside them");
            var last = Math.Max(0, messages.Length - 1);
            return RowReading.OfChat(fields, ConversationOf(fields, messages[..last]), [messages[last..]], [0], areOrder: true);
        }
        if (keys.Length == 0)
            fields.Reject(
                "no answers, expected \"answers\", or \"chosen\" and \"rejected\", or \"answer_ids\", or one answer: \"response\", "
                + "\"answer\" or \"completion\", or \"messages\" that end with it, or \"text\"");
        return new RowReading();
    }
}
