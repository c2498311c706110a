using System.Text.Json;
using System.Text.Json.Nodes;
using RewardModel.Lists;

namespace RewardModel.Training.Data;

/// <summary>A change of answers' white space, which changes no meaning.</summary>
/// <param name="Name">What it is called in evaluations.</param>
/// <param name="Edit">The change of one text.</param>
internal sealed record AnswerEdit(string Name, Func<string, string> Edit)
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<AnswerEdit> All { get; } =
    [
        new("trailing-space", text => text + " \n"),
        new("double-spaces", text => text.Replace(" ", "  ", StringComparison.Ordinal)),
    ];

    /// <summary>A list with changed answers; of conversations the last message of each answer is changed.</summary>
    /// <returns>Null where there is nothing to change, or a last message has no text.</returns>
    public RankedList? Of(RankedList list)
    {
        if (list.Chat is { } chat)
        {
            IReadOnlyList<ChatMessage>?[] answers = [.. chat.Answers.Select(WithEditedEnd)];
            return answers.Contains(null) || answers.Zip(chat.Answers).All(pair => pair.First == pair.Second)
                ? null
                : RankedList.OfChat(chat with { Answers = answers! }, list.Scores, list.Source);
        }
        string[] texts = [.. list.Answers.Select(Edit)];
        return texts.SequenceEqual(list.Answers) ? null : new RankedList(list.Prompt, texts, list.Scores, list.Source);
    }

    /// <summary>The messages themselves where nothing changes; null where the last one has no text.</summary>
    private IReadOnlyList<ChatMessage>? WithEditedEnd(IReadOnlyList<ChatMessage> messages)
    {
        if (!messages[^1].Json.TryGetProperty("content", out var content) || content.ValueKind != JsonValueKind.String)
            return null;
        var text = content.GetString()!;
        if (Edit(text) == text)
            return messages;
        var edited = JsonObject.Create(messages[^1].Json)!;
        edited["content"] = Edit(text);
        return [.. messages.SkipLast(1), ChatMessage.FromJson(JsonSerializer.SerializeToElement(edited))];
    }
}
