using System.Text.Json;
using System.Text.Json.Nodes;

namespace RewardModel.Lists;

/// <summary>A ranked list as a conversation. The collections are kept, not copied: they must not change afterwards.</summary>
/// <param name="Prompt">The messages before the answers.</param>
/// <param name="Answers">
/// The messages of each of the K answers, at least one answer of at least one message: mostly one of the assistant.
/// </param>
/// <exception cref="ArgumentNullException">The prompt, the answers, one of them or one of its messages is null.</exception>
/// <exception cref="ArgumentException">There is no answer, or one without a message.</exception>
public sealed record RankedChat(Conversation Prompt, IReadOnlyList<IReadOnlyList<ChatMessage>> Answers)
{
    /// <summary>The messages before the answers.</summary>
    public Conversation Prompt { get; init => field = Checked(value); } = Checked(Prompt);

    /// <summary>The messages of each of the K answers.</summary>
    public IReadOnlyList<IReadOnlyList<ChatMessage>> Answers { get; init => field = Checked(value); } = Checked(Answers);

    /// <summary>The text of an answer; null where it is not one message whose content is text.</summary>
    internal static string? TextOf(IReadOnlyList<ChatMessage> answer) =>
        answer is [var message] && message.Json.TryGetProperty("content", out var content) && content.ValueKind == JsonValueKind.String
            ? content.GetString()
            : null;

    /// <summary>An answer with another text.</summary>
    /// <param name="answer">One message whose content is text.</param>
    /// <param name="text">Its text in place of that.</param>
    internal static IReadOnlyList<ChatMessage> WithText(IReadOnlyList<ChatMessage> answer, string text)
    {
        var json = JsonObject.Create(answer[0].Json)!.DeepClone();
        json["content"] = text;
        return [ChatMessage.FromJson(JsonSerializer.SerializeToElement(json))];
    }

    private static Conversation Checked(Conversation prompt) => prompt ?? throw new ArgumentNullException(nameof(Prompt));

    private static IReadOnlyList<IReadOnlyList<ChatMessage>> Checked(IReadOnlyList<IReadOnlyList<ChatMessage>> answers)
    {
        ArgumentNullException.ThrowIfNull(answers, nameof(Answers));
        if (answers.Count == 0)
            throw new ArgumentException("There are no answers; expected at least one.", nameof(Answers));
        for (var i = 0; i < answers.Count; i++)
        {
            var messages = answers[i]
                ?? throw new ArgumentNullException(nameof(Answers), $"Answer {i + 1} of {answers.Count} is null; expected messages.");
            if (messages.Count == 0)
                throw new ArgumentException($"Answer {i + 1} of {answers.Count} has no messages; expected at least one.", nameof(Answers));
            if (messages.Contains(null))
                throw new ArgumentNullException(
                    nameof(Answers), $"A message of answer {i + 1} of {answers.Count} is null; expected a message.");
        }
        return answers;
    }
}
