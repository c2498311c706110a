using System.Text.Json.Nodes;

namespace RewardModel.Server.Protocols;

/// <summary>
/// What LLaMA-Factory's PPO asks a reward model of type <c>api</c>. It names the model <c>model</c>, whatever it is: names that are not
/// served mean the default model.
/// </summary>
internal static class LlamaFactoryProtocol
{
    public static ProtocolOperation Operation { get; } = new(
        "/v1/score/evaluation",
        "Rewards of whole texts, as LLaMA-Factory asks for them.",
        ErrorShape.Detail,
        () => Schemas.ObjectOf(
            ("model", Schemas.Text("A served model; any other name: the default one.")),
            ("messages", Schemas.ArrayOf(Schemas.Text(), "Prompt and answer as one text, with the special tokens of the chat template.")),
            ("max_length?", Schemas.Integer("Most tokens of a text that are read."))),
        """{"model": "model", "messages": ["<|user|>Which is larger, 3 or 5?<|assistant|>5"]}""",
        () => Schemas.ObjectOf(
            ("id", Schemas.Text()),
            ("object", Schemas.Text("score.evaluation")),
            ("model", Schemas.Text("That of the request.")),
            ("scores", Schemas.ArrayOf(Schemas.Number(), "The rewards, one for each text."))),
        AnswerAsync);

    private static async Task<JsonObject> AnswerAsync(ProtocolCall call)
    {
        var messages = call.Request.Items("messages", "strings", call.Request.TextOf);
        var maxLength = call.Request.Count("max_length");
        var model = call.Request.Text("model");
        if (!call.Request.Has("model"))
            call.Request.Reject("model", "is missing; expected a string");
        var served = call.Service.Models.FirstOrDefault(other => other.Name == model)?.Name;
        var result = await call.ScoreAsync(served, [.. messages.Select(WholeTexts.Of)], maxLength).ConfigureAwait(false);
        return new JsonObject
        {
            ["id"] = call.Id("scoreval"),
            ["object"] = "score.evaluation",
            ["model"] = model,
            ["scores"] = RewardNumbers.Of(WholeTexts.Rewards(result)),
        };
    }
}
