using System.Text.Json;
using RewardModel.Lists;

namespace RewardModel.Layouts;

/// <summary>Pairs as other trainers read them. What they render by a chat template beside the question is rendered here as well.</summary>
internal static class TrainerLayouts
{
    private static readonly string[] questionKeys = ["question", "input", "instruction", "prompt"];

    /// <summary>LLaMA-Factory's pairs of messages with a speaker each.</summary>
    public static readonly DataLayout ShareGpt = new(
        "sharegpt", "LLaMA-Factory's pairs in ShareGPT's form", ["conversations", "chosen", "rejected"],
        fields => fields.IsArrayOf("conversations", "from", "value") && fields.IsObjectWith("chosen", "value")
            && fields.IsObjectWith("rejected", "value"), ReadShareGpt)
    {
        OtherKeys = ["system", "tools"],
    };

    /// <summary>LLaMA-Factory's pairs of answers to an instruction.</summary>
    public static readonly DataLayout Alpaca = new(
        "alpaca", "LLaMA-Factory's pairs in Alpaca's form", ["instruction"],
        fields => !fields.Has("prompt") && (fields.AreTexts("chosen", "rejected") || fields.IsArrayOfTexts("output")), ReadAlpaca)
    {
        OtherKeys = ["input", "chosen", "rejected", "output", "history", "system", "tools"],
    };

    /// <summary>Axolotl's pairs of texts, whose keys have several names.</summary>
    public static readonly DataLayout Axolotl = new("axolotl", "Axolotl's pairs of texts", [], IsAxolotl, ReadAxolotl)
    {
        OtherKeys = [.. questionKeys, "chosen_response", "rejected_response", "accepted", "system"],
    };

    /// <summary>Axolotl's pairs of messages beside those before them.</summary>
    public static readonly DataLayout AxolotlChat = new(
        "axolotl-chat", "Axolotl's pairs of messages", ["messages", "chosen", "rejected"],
        fields => fields.IsObjectWith("chosen", "role") && fields.IsObjectWith("rejected", "role"), ReadAxolotlChat)
    {
        OtherKeys = ["system", "tools"],
    };

    private static RowReading ReadShareGpt(RowFields fields)
    {
        var conversation = new Conversation(fields.WithSystem(fields.SpokenMessages("conversations"))) { Tools = fields.ToolsOfJson() };
        return RowReading.OfChat(
            fields, conversation, [[fields.SpokenMessage("chosen")], [fields.SpokenMessage("rejected")]], RankedList.ScoresOfOrder(2),
            areOrder: true);
    }

    private static RowReading ReadAlpaca(RowFields fields)
    {
        if (fields.Has("output") && (fields.Has("chosen") || fields.Has("rejected")))
            fields.Reject("\"output\" is given beside \"chosen\" and \"rejected\", expected one of them");
        string[] answers = fields.Has("output")
            ? fields.AnswerTexts("output")
            : [fields.AnswerText("chosen"), fields.AnswerText("rejected")];
        var scores = RankedList.ScoresOfOrder(answers.Length);
        var prompt = fields.Text("instruction");
        if (fields.Has("input") && fields.Text("input") is { Length: > 0 } input)
            prompt = prompt == "" ? input : $"{prompt}\n{input}";
        return fields.IsNamed("history") || fields.IsNamed("system") || fields.IsNamed("tools")
            ? Rendered(fields, [.. fields.Turns("history"), new ChatMessage("user", prompt)], answers, scores, fields.ToolsOfJson())
            : RowReading.OfTexts(fields, prompt, answers, scores, areOrder: true);
    }

    /// <summary>Whether it is a pair of other names than those of this library and of Alpaca.</summary>
    private static bool IsAxolotl(RowFields fields) =>
        questionKeys.Any(fields.Has)
        && (fields.AreTexts("chosen_response", "rejected_response") || fields.AreTexts("accepted", "rejected")
            || (fields.AreTexts("chosen", "rejected") && (fields.Has("question") || fields.Has("input"))
                && !fields.Has("prompt") && !fields.Has("instruction")));

    private static RowReading ReadAxolotl(RowFields fields)
    {
        var prompt = fields.Text(fields.OnlyOf(questionKeys));
        var (chosen, rejected) = fields.Has("chosen_response") ? ("chosen_response", "rejected_response")
            : fields.Has("accepted") ? ("accepted", "rejected")
            : ("chosen", "rejected");
        string[] answers = [fields.AnswerText(chosen), fields.AnswerText(rejected)];
        // Argilla's pairs say so where both answers were rated alike.
        double[] scores = fields.Label("status") == "tie" ? [0, 0] : [1, 0];
        return fields.IsNamed("system")
            ? Rendered(fields, [new ChatMessage("user", prompt)], answers, scores, tools: null)
            : RowReading.OfTexts(fields, prompt, answers, scores, areOrder: true);
    }

    private static RowReading ReadAxolotlChat(RowFields fields) => RowReading.OfChat(
        fields, OwnLayout.ConversationOf(fields, fields.Messages("messages")), [[fields.Message("chosen")], [fields.Message("rejected")]],
        RankedList.ScoresOfOrder(2), areOrder: true);

    private static RowReading Rendered(
        RowFields fields, ChatMessage[] messages, string[] answers, double[] scores, JsonElement? tools) => RowReading.OfChat(
        fields, new Conversation(fields.WithSystem(messages)) { Tools = tools },
        [.. answers.Select(answer => new[] { new ChatMessage("assistant", answer) })], scores, areOrder: true);
}
