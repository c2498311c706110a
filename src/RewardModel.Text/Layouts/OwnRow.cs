using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using RewardModel.Lists;

namespace RewardModel.Layouts;

/// <summary>Writes ranked lists in this library's own layout, in which they are read as the same lists.</summary>
internal static class OwnRow
{
    private static readonly JsonSerializerOptions readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>A list as JSON, in one line. Of what was read beside it, the group goes along.</summary>
    public static string Of(RankedList list)
    {
        var row = new JsonObject();
        if (list.Steps is not null)
        {
            AddSteps(row, list);
            return row.ToJsonString(readable);
        }
        if (list.Chat is { } chat)
        {
            row["messages"] = Messages(chat.Prompt.Messages);
            if (chat.Prompt.Tools is { } tools)
                row["tools"] = JsonNode.Parse(tools.GetRawText());
            row["answers"] = new JsonArray([.. chat.Answers.Select(Messages)]);
        }
        else
        {
            row["prompt"] = list.Prompt;
            row["answers"] = new JsonArray([.. list.Answers.Select(answer => (JsonNode)answer)]);
        }
        AddNotes(row, list.Scores, list.ScoresAreOrder, list.Margin, list.Weight, list.Group);
        AddAttributes(row, list.Attributes);
        return row.ToJsonString(readable);
    }

    /// <inheritdoc cref="Of(RankedList)"/>
    public static string Of(TokenizedList list)
    {
        var row = new JsonObject
        {
            ["prompt_ids"] = JsonSerializer.SerializeToNode(list.PromptIds),
            ["answer_ids"] = JsonSerializer.SerializeToNode(list.AnswerIds),
        };
        AddNotes(row, list.Scores, list.ScoresAreOrder, list.Margin, list.Weight, list.Group);
        AddAttributes(row, list.Attributes);
        return row.ToJsonString(readable);
    }

    /// <summary>Steps without the separator behind them, which is added when they are read.</summary>
    private static void AddSteps(JsonObject row, RankedList list)
    {
        row["prompt"] = list.Chat is null ? list.Prompt : Messages(list.Chat.Prompt.Messages);
        if (list.Chat?.Prompt.Tools is { } tools)
            row["tools"] = JsonNode.Parse(tools.GetRawText());
        var separator = list.Steps!.Separator;
        string[] texts = [.. list.Chat is null ? list.Answers : list.Chat.Answers.Select(answer => RankedChat.TextOf(answer)!)];
        var labels = texts.Select((text, k) => (End: text.Length, Label: (double?)list.Scores[k])).ToDictionary(step => step.End, step => step.Label);
        int[] ends = [.. labels.Keys.Concat(list.Steps.Unlabelled.Where(end => end < texts[^1].Length)).Order()];
        row["steps"] = new JsonArray([.. ends.Select((end, k) => (JsonNode)texts[^1][(k == 0 ? 0 : ends[k - 1])..(end - separator.Length)])]);
        row["labels"] = JsonSerializer.SerializeToNode(ends.Select(end => labels.GetValueOrDefault(end)));
        row["separator"] = separator;
        AddNotes(row, list.Margin, list.Weight, list.Group);
    }

    private static JsonNode Messages(IEnumerable<ChatMessage> messages) =>
        new JsonArray([.. messages.Select(message => JsonNode.Parse(message.Json.GetRawText()))]);

    private static void AddNotes(JsonObject row, IReadOnlyList<double> scores, bool areOrder, double? margin, double weight, string? group)
    {
        if (!areOrder)
            row["scores"] = JsonSerializer.SerializeToNode(scores);
        // Best first is what answers are without scores.
        else if (!scores.SequenceEqual(RankedList.ScoresOfOrder(scores.Count)))
            row["ranks"] = JsonSerializer.SerializeToNode(RanksOf(scores));
        AddNotes(row, margin, weight, group);
    }

    private static void AddNotes(JsonObject row, double? margin, double weight, string? group)
    {
        if (margin is not null)
            row["margin"] = margin;
        if (weight != 1)
            row["weight"] = weight;
        if (group is not null)
            row["group"] = group;
    }

    private static void AddAttributes(JsonObject row, IReadOnlyList<IReadOnlyDictionary<string, double>>? attributes)
    {
        if (attributes is not null)
            row["attributes"] = JsonSerializer.SerializeToNode(attributes);
    }

    private static IEnumerable<int> RanksOf(IReadOnlyList<double> scores)
    {
        double[] ordered = [.. scores.Distinct().OrderDescending()];
        return scores.Select(score => Array.IndexOf(ordered, score) + 1);
    }
}
