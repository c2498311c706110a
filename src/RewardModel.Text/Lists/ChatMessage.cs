using System.Text.Json;
using System.Text.Json.Nodes;

namespace RewardModel.Lists;

/// <summary>One message of a conversation: a JSON object as templates of Hugging Face checkpoints expect it.</summary>
public sealed class ChatMessage
{
    /// <param name="role">Who speaks: <c>system</c>, <c>user</c>, <c>assistant</c> or whatever the template knows.</param>
    /// <param name="content">What is said.</param>
    public ChatMessage(string role, string content)
        : this(JsonSerializer.SerializeToElement(new JsonObject { ["role"] = role, ["content"] = content }))
    {
    }

    private ChatMessage(JsonElement json) => Json = json;

    /// <summary>The whole message, with tool calls and whatever else it has.</summary>
    public JsonElement Json { get; }

    /// <summary>Who speaks.</summary>
    public string Role => Json.GetProperty("role").GetString()!;

    /// <summary>A message with members beside its role and content.</summary>
    /// <param name="json">An object with a string <c>role</c>.</param>
    /// <exception cref="ArgumentException">It is something else.</exception>
    public static ChatMessage FromJson(JsonElement json) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty("role", out var role) && role.ValueKind == JsonValueKind.String
            ? new ChatMessage(json.Clone())
            : throw new ArgumentException("A message is no JSON object with a string \"role\".", nameof(json));
}
