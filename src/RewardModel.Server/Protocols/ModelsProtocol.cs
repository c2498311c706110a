using System.Text.Json.Nodes;

namespace RewardModel.Server.Protocols;

/// <summary>The served models, in the shape of OpenAI's list with what is to be known of a reward model.</summary>
internal static class ModelsProtocol
{
    public static ProtocolOperation Operation { get; } = new(
        "/v1/models",
        "The served models, the default one first.",
        ErrorShape.Own,
        Request: null,
        Example: null,
        () => Schemas.ObjectOf(
            ("object", Schemas.Text("list.")),
            ("data", Schemas.ArrayOf(Schemas.ObjectOf(
                ("id", Schemas.Text("The name that requests give.")), ("object", Schemas.Text("model.")),
                ("created", Schemas.Integer("When it was loaded, in seconds since 1970.")), ("owned_by", Schemas.Text()),
                ("architecture", Schemas.Text("model_type of its config.json.")),
                ("max_length", Schemas.Integer("Most tokens of prompt and answer together.")),
                ("has_chat_template", Schemas.Flag("Whether it takes conversations.")),
                ("member_count", Schemas.Integer("How many models its rewards are the means of.")))))),
        call => Task.FromResult(new JsonObject
        {
            ["object"] = "list",
            ["data"] = new JsonArray([.. call.Service.Models.Select(model => new JsonObject
            {
                ["id"] = model.Name,
                ["object"] = "model",
                ["created"] = model.LoadedAt.ToUnixTimeSeconds(),
                ["owned_by"] = "reward-model",
                ["architecture"] = model.Architecture,
                ["max_length"] = model.MaxLength,
                ["has_chat_template"] = model.HasChatTemplate,
                ["member_count"] = model.MemberCount,
            })]),
        }));
}
