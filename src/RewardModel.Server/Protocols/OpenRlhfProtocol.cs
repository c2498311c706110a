using System.Text.Json.Nodes;

namespace RewardModel.Server.Protocols;

/// <summary>
/// What OpenRLHF asks a remote reward model: the texts of <c>query</c>, prompt and answer as one, with special tokens. Some of its versions
/// send <c>prompts</c> and <c>labels</c> besides, which its own server doesn't read either.
/// </summary>
internal static class OpenRlhfProtocol
{
    public static ProtocolOperation Operation { get; } = new(
        "/get_reward",
        "Rewards of whole texts, as OpenRLHF asks for them.",
        ErrorShape.Detail,
        () => Schemas.ObjectOf(
            ("query", Schemas.ArrayOf(Schemas.Text(), "Prompt and answer as one text, with the special tokens of the chat template.")),
            ("prompts?", Schemas.ArrayOf(Schemas.Text(), "Not read.")),
            ("labels?", Schemas.ArrayOf(new(), "Not read."))),
        """{"query": ["<|user|>3 or 5?<|assistant|>5"], "prompts": ["<|user|>3 or 5?<|assistant|>"], "labels": [null]}""",
        () => Schemas.ObjectOf(
            ("rewards", Schemas.ArrayOf(Schemas.Number(), "One for each query.")),
            ("scores", Schemas.ArrayOf(Schemas.Number(), "The same: what OpenRLHF filters prompts by.")),
            ("extra_logs", Schemas.ObjectOf(("dummy_scores", Schemas.ArrayOf(Schemas.Number(), "The same: what OpenRLHF logs."))))),
        AnswerAsync);

    private static async Task<JsonObject> AnswerAsync(ProtocolCall call)
    {
        // A client that shares one query out to several servers sends the others none.
        var queries = call.Request.Items("query", "strings", call.Request.TextOf, least: 0);
        call.Request.ThrowIfWrong();
        var rewards = queries.Length == 0 ? [] : WholeTexts.Rewards(
            await call.ScoreAsync(model: null, [.. queries.Select(WholeTexts.Of)], maxLength: null).ConfigureAwait(false));
        return new JsonObject
        {
            ["rewards"] = RewardNumbers.Of(rewards),
            ["scores"] = RewardNumbers.Of(rewards),
            ["extra_logs"] = new JsonObject { ["dummy_scores"] = RewardNumbers.Of(rewards) },
        };
    }
}
