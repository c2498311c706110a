using System.Text.Json;

namespace RewardModel.Lists;

/// <summary>What a chat template renders: the messages so far, and what the template may be told besides.</summary>
/// <param name="Messages">The messages, the oldest first.</param>
public sealed record Conversation(IReadOnlyList<ChatMessage> Messages)
{
    /// <summary>The tools that the assistant may call, as JSON schemas; null for none.</summary>
    public JsonElement? Tools { get; init; }
}
