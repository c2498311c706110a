using System.Text.Json;
using RewardModel.Lists;

namespace RewardModel.Training.Checks;

/// <summary>Conversations as what is said in them, without roles and JSON.</summary>
internal static class PlainText
{
    /// <summary>A list whose prompt and answers are the contents of the messages; a list of text stays as it is.</summary>
    public static RankedList Of(RankedList list) => list.Chat is null
        ? list
        : new RankedList(TextOf(list.Chat.Prompt.Messages), [.. list.Chat.Answers.Select(TextOf)], list.Scores, list.Source);

    private static string TextOf(IReadOnlyList<ChatMessage> messages) =>
        messages.Count == 1 ? TextOf(messages[0]) : string.Join('\n', messages.Select(TextOf));

    /// <summary>What has no text as its content, such as a call of a tool, is taken as its JSON.</summary>
    private static string TextOf(ChatMessage message) =>
        message.Json.TryGetProperty("content", out var content) && content.ValueKind == JsonValueKind.String
            ? content.GetString()!
            : message.Json.GetRawText();
}
