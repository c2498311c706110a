namespace RewardModel.Lists;

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
    /// <example>
    /// <code>
    /// var list = RankedList.BestFirst("Which is larger, 3 or 5?", "5 is larger.", "5", "3 is larger.");
    /// Console.WriteLine(string.Join(", ", list.Scores)); // 2, 1, 0
    /// </code>
    /// </example>
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
