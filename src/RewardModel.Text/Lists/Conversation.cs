using System.Text.Json;

namespace RewardModel.Lists;

/// <summary>
/// The input of a chat template: the messages so far, and the tools. The messages are kept, not copied: they must not change
/// afterwards.
/// </summary>
/// <param name="Messages">The messages, the oldest first.</param>
/// <exception cref="ArgumentNullException">The messages or one of them is null.</exception>
public sealed record Conversation(IReadOnlyList<ChatMessage> Messages)
{
    /// <summary>The messages, the oldest first.</summary>
    public IReadOnlyList<ChatMessage> Messages { get; init => field = Checked(value); } = Checked(Messages);

    /// <summary>The tools that the assistant may call, as JSON schemas; null for none.</summary>
    public JsonElement? Tools { get; init; }

    private static IReadOnlyList<ChatMessage> Checked(IReadOnlyList<ChatMessage> messages)
    {
        ArgumentNullException.ThrowIfNull(messages, nameof(Messages));
        for (var i = 0; i < messages.Count; i++)
            if (messages[i] is null)
                throw new ArgumentNullException(nameof(Messages), $"Message {i + 1} of {messages.Count} is null; expected a message.");
        return messages;
    }
}
