using RewardModel.Lists;

namespace RewardModel.Layouts;

/// <summary>Two models talk with the same person, who says which is better.</summary>
internal static class BattleLayouts
{
    private static readonly string[] ties = ["tie", "tie (bothbad)", "both_bad"];

    /// <summary>Chatbot Arena and the judgements of MT-Bench: two conversations.</summary>
    public static readonly DataLayout Arena = new(
        "chatbot-arena", "Chatbot Arena's battles", ["conversation_a", "conversation_b", "winner"],
        fields => fields.IsArrayOf("conversation_a", "role", "content") && fields.IsArrayOf("conversation_b", "role", "content"), ReadArena)
    {
        Metadata =
        [
            "id", "question_id", "model_a", "model_b", "judge", "anony", "language", "tstamp", "timestamp", "openai_moderation",
            "toxic_chat_tag", "evaluation_session_id", "evaluation_order", "full_conversation", "conv_metadata", "category_tag", "is_code",
            "occupational_tags",
        ],
    };

    /// <summary>LMSYS' 55k battles: what was said as lists of turns, and a column for each outcome.</summary>
    public static readonly DataLayout ArenaTurns = new(
        "arena-human-preference", "Arena's battles as lists of turns",
        ["prompt", "response_a", "response_b", "winner_model_a", "winner_model_b", "winner_tie"], null, ReadTurns)
    {
        Metadata = ["id", "model_a", "model_b"],
    };

    private static RowReading ReadArena(RowFields fields)
    {
        ChatMessage[] first = fields.Messages("conversation_a"), second = fields.Messages("conversation_b");
        // What was judged ends with this turn.
        if (fields.Has("turn"))
        {
            var messageCount = 2 * fields.Integer("turn", 1, 1000);
            (first, second) = (first[..Math.Min(messageCount, first.Length)], second[..Math.Min(messageCount, second.Length)]);
        }
        return Battle(fields, ("conversation_a", first), ("conversation_b", second), ScoresOf(fields));
    }

    private static double[] ScoresOf(RowFields fields)
    {
        var winner = fields.Text("winner");
        if (winner is "model_a" or "model_b")
            return winner == "model_a" ? [1, 0] : [0, 1];
        if (fields.Problems.Count == 0 && !ties.Contains(winner))
            fields.Reject("winner", $"is '{winner}', expected one of model_a, model_b, {string.Join(", ", ties)}");
        return [0, 0];
    }

    private static RowReading ReadTurns(RowFields fields)
    {
        var prompts = fields.TextsOfJson("prompt");
        var first = Conversation(fields, prompts, "response_a");
        var second = Conversation(fields, prompts, "response_b");
        int[] outcome = [.. new[] { "winner_model_a", "winner_model_b", "winner_tie" }.Select(key => fields.Integer(key, 0, 1))];
        if (fields.Problems.Count == 0 && outcome.Sum() != 1)
            fields.Reject(
                $"{outcome.Sum()} of \"winner_model_a\", \"winner_model_b\" and \"winner_tie\" are 1, expected one of them");
        return Battle(fields, ("response_a", first), ("response_b", second), [outcome[0], outcome[1]]);
    }

    private static ChatMessage[] Conversation(RowFields fields, string[] prompts, string key)
    {
        var answers = fields.TextsOfJson(key);
        if (fields.Problems.Count == 0 && answers.Length != prompts.Length)
            fields.Reject(key, $"has {answers.Length} turns and \"prompt\" has {prompts.Length}, expected an answer to each");
        return
        [
            .. prompts.Zip(answers).SelectMany(
                turn => new[] { new ChatMessage("user", turn.First), new ChatMessage("assistant", turn.Second) }),
        ];
    }

    private static RowReading Battle(
        RowFields fields, (string Key, ChatMessage[] Messages) first, (string Key, ChatMessage[] Messages) second, double[] scores)
    {
        var (start, answers) = CommonStart.Of(fields, first, second, "a common start");
        return RowReading.OfChat(fields, OwnLayout.ConversationOf(fields, start), answers, scores, areOrder: true);
    }
}
