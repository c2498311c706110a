using RewardModel.Chat;

namespace RewardModel.Ranking;

/// <summary>Where a list was read from, for messages: <c>train.jsonl:17</c>.</summary>
/// <param name="File">The file's path as the user gave it; empty for lists made in code.</param>
/// <param name="Line">The line, counted from 1; 0 for lists made in code.</param>
public readonly record struct SourceLine(string File, int Line)
{
    /// <summary><c>file:line</c>, or <c>(in memory)</c> for lists made in code.</summary>
    public override string ToString() => Line > 0 ? $"{File}:{Line}" : "(in memory)";
}

/// <summary>One prompt, its K answers as text, and how good each answer is.</summary>
/// <param name="Prompt">The prompt; may be empty.</param>
/// <param name="Answers">K answers, in the order in which their rewards are reported.</param>
/// <param name="Scores">K scores, higher is better; equal scores are ties. Only their order counts in the ranking loss.</param>
/// <param name="Source">Where the list was read from.</param>
public sealed record RankedList(string Prompt, IReadOnlyList<string> Answers, IReadOnlyList<double> Scores, SourceLine Source = default)
{
    /// <summary>The list as a conversation; null where prompt and answers are plain text. Then they are its messages as JSON.</summary>
    public RankedChat? Chat { get; init; }

    /// <summary>A list of conversations: a chat template makes text of it.</summary>
    public static RankedList OfChat(RankedChat chat, IReadOnlyList<double> scores, SourceLine source = default) => new(
        JsonOf(chat.Prompt.Messages), [.. chat.Answers.Select(JsonOf)], scores, source)
    {
        Chat = chat,
    };

    /// <summary>A list whose answers are given best first, without ties: scores K-1, K-2, ..., 0.</summary>
    public static RankedList BestFirst(string prompt, params IReadOnlyList<string> answers) =>
        new(prompt, answers, ScoresOfOrder(answers.Count));

    /// <summary>The scores that stand for "best first": count-1, ..., 1, 0.</summary>
    public static double[] ScoresOfOrder(int count)
    {
        var scores = new double[count];
        for (var i = 0; i < count; i++)
            scores[i] = count - 1 - i;
        return scores;
    }

    private static string JsonOf(IReadOnlyList<ChatMessage> messages) =>
        $"[{string.Join(", ", messages.Select(message => message.Json.GetRawText()))}]";
}

/// <summary>A <see cref="RankedList"/> as token ids.</summary>
/// <param name="PromptIds">Token ids of the prompt, special tokens around it included; may be empty.</param>
/// <param name="AnswerIds">Token ids of each of the K answers, special tokens at its end included; at least one id each.</param>
/// <param name="Scores">K scores, higher is better; equal scores are ties.</param>
/// <param name="Source">Where the list was read from.</param>
public sealed record TokenizedList(
    int[] PromptIds, IReadOnlyList<int[]> AnswerIds, IReadOnlyList<double> Scores, SourceLine Source = default)
{
    /// <summary>Token type of the answers' tokens, which BERT-like encoders embed; prompts have type 0.</summary>
    public int AnswerTokenType { get; init; }
}
