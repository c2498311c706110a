using RewardModel.Lists;

namespace RewardModel.Layouts;

/// <summary>OpenAssistant's conversations: at each message of a person, answers with ranks, and at each answer what people said to it.</summary>
internal static class TreeLayouts
{
    private static readonly string[] metadata =
    [
        "message_tree_id", "message_id", "parent_id", "user_id", "created_date", "tree_state", "origin", "lang", "review_count", "synthetic",
        "model_name", "detoxify", "emojis", "labels", "events",
    ];

    /// <summary>Trees, one a row: several lists, or none.</summary>
    public static readonly DataLayout Trees = new(
        "openassistant", "OpenAssistant's trees", ["prompt"], fields => fields.IsObjectWith("prompt", "text", "role"), ReadTree)
    {
        Metadata = metadata,
    };

    /// <summary>The same data with a row for each message, which are no lists.</summary>
    public static readonly DataLayout Messages = new(
        "openassistant-messages", "OpenAssistant's messages one by one", ["message_id", "message_tree_id", "text", "role"], null, RefuseMessage)
    {
        Metadata = metadata,
    };

    private static RowReading RefuseMessage(RowFields fields)
    {
        fields.Reject(
            "is one message of a tree, and its answers are in other rows; expected trees, which OpenAssistant publishes beside the messages, "
            + "in files that end in .trees.jsonl.gz");
        return new RowReading();
    }

    private static RowReading ReadTree(RowFields fields)
    {
        var root = fields.Object("prompt");
        if (IsLeftOut(root))
            fields.Reject("prompt", "is marked as deleted or did not pass its review, expected a message that is used");
        var lists = new List<(ChatMessage[] Path, RowFields[] Answers)>();
        var leftOutCount = 0;
        Visit(root, []);
        RankedList[] ranked = fields.Problems.Count > 0 ? [] : [.. lists.Select(ListOf)];
        return RowReading.OfMany(() => ranked) with { LeftOutAnswerCount = leftOutCount };

        void Visit(RowFields message, ChatMessage[] before)
        {
            ChatMessage[] path = [.. before, MessageOf(message)];
            RowFields[] replies = message.HasItems("replies") ? message.Objects("replies") : [];
            RowFields[] used = [.. replies.Where(reply => !IsLeftOut(reply))];
            if (path[^1].Role == "user")
            {
                RowFields[] answers = [.. used.Where(reply => reply.Has("rank") && reply.Text("role") == "assistant")];
                if (answers.Length >= 2)
                    lists.Add((path, answers));
                leftOutCount += replies.Length - (answers.Length >= 2 ? answers.Length : 0);
            }
            foreach (var reply in used)
                Visit(reply, path);
        }

        RankedList ListOf((ChatMessage[] Path, RowFields[] Answers) list) => RankedList.OfChat(
            new RankedChat(new Conversation(list.Path), [.. list.Answers.Select(answer => new[] { MessageOf(answer) })]),
            [.. list.Answers.Select(answer => answer.ScoreOfRank("rank", best: 0))], fields.Source) with
        { ScoresAreOrder = true };
    }

    private static bool IsLeftOut(RowFields message) => message.Label("deleted") == "true" || message.Label("review_result") == "false";

    private static ChatMessage MessageOf(RowFields message)
    {
        var role = message.Text("role");
        var text = role == "assistant" ? message.AnswerText("text") : message.Text("text");
        if (role is not ("prompter" or "assistant") && message.Has("role"))
            message.Reject("role", $"is '{role}', expected prompter or assistant");
        return new ChatMessage(role == "assistant" ? "assistant" : "user", text);
    }
}
