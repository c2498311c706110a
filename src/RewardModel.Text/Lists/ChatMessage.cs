using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace RewardModel.Lists;

/// <summary>One message of a conversation: a JSON object as templates of Hugging Face checkpoints expect it.</summary>
public sealed class ChatMessage
{
    /// <param name="role">Who speaks: <c>system</c>, <c>user</c>, <c>assistant</c> or whatever the template knows.</param>
    /// <param name="content">What is said.</param>
    /// <exception cref="ArgumentNullException">The role or the content is null.</exception>
    /// <exception cref="ArgumentException">The role is empty.</exception>
    public ChatMessage(string role, string content)
        : this(JsonSerializer.SerializeToElement(new JsonObject
        {
            ["role"] = CheckedRole(role),
            ["content"] = content ?? throw new ArgumentNullException(nameof(content)),
        }))
    {
    }

    private ChatMessage(JsonElement json) => Json = json;

    /// <summary>The whole message, with tool calls and whatever else it has.</summary>
    public JsonElement Json { get; }

    /// <summary>Who speaks.</summary>
    public string Role => Json.GetProperty("role").GetString()!;

    /// <summary>A message with members beside its role and content.</summary>
    /// <param name="json">An object with a string <c>role</c>, which is not empty.</param>
    /// <exception cref="ArgumentException">It is something else, or a text in it has half of a character.</exception>
    public static ChatMessage FromJson(JsonElement json)
    {
        if (json.ValueKind == JsonValueKind.Object && WholeCharacters.FirstWithout(JsonMarshal.GetRawUtf8Value(json)) is not null)
            throw new ArgumentException(
                "A text of the message has an escape such as \\ud800 of half a character; expected whole characters. Replace each by \\ufffd.",
                nameof(json));
        return json.ValueKind == JsonValueKind.Object && json.TryGetProperty("role", out var role) && role.ValueKind == JsonValueKind.String
            && !role.ValueEquals("")
            ? new ChatMessage(json.Clone())
            : throw new ArgumentException(
                "The message is not a JSON object whose \"role\" is a string; expected one such as "
                + "{\"role\": \"user\", \"content\": \"...\"}.",
                nameof(json));
    }

    private static string CheckedRole(string role)
    {
        ArgumentNullException.ThrowIfNull(role);
        return role != ""
            ? role
            : throw new ArgumentException("The role is empty; expected one that the chat template knows, such as user.", nameof(role));
    }
}
