using System.Runtime.InteropServices;
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
    /// <exception cref="ArgumentException">A text in them has half of a character.</exception>
    public JsonElement? Tools { get; init => field = Checked(value); }

    private static JsonElement? Checked(JsonElement? tools) =>
        tools is { ValueKind: not JsonValueKind.Undefined } given && WholeCharacters.FirstWithout(JsonMarshal.GetRawUtf8Value(given)) is not null
            ? throw new ArgumentException(
                "A text of the tools has an escape such as \\ud800 of half a character; expected whole characters. Replace each by \\ufffd.",
                nameof(Tools))
            : tools;

    private static IReadOnlyList<ChatMessage> Checked(IReadOnlyList<ChatMessage> messages)
    {
        ArgumentNullException.ThrowIfNull(messages, nameof(Messages));
        for (var i = 0; i < messages.Count; i++)
            if (messages[i] is null)
                throw new ArgumentNullException(nameof(Messages), $"Message {i + 1} of {messages.Count} is null; expected a message.");
        return messages;
    }
}
