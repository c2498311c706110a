using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace RewardModel.Client;

internal sealed record RewardsRequest(string? Model, IReadOnlyList<RewardsInput> Inputs);

/// <summary>One of prompt, messages and text; the answers are strings or arrays of messages, and none beside a text.</summary>
internal sealed record RewardsInput(
    string? Prompt = null, IReadOnlyList<JsonElement>? Messages = null, JsonElement? Tools = null, string? Text = null,
    JsonArray? Answers = null);

internal sealed record RewardsResponse(IReadOnlyList<RewardsOfInput> Results);

internal sealed record RewardsOfInput(
    IReadOnlyList<float> Rewards, IReadOnlyList<int> Ranks, IReadOnlyList<bool> Truncated, IReadOnlyList<double>? WinProbabilities = null,
    IReadOnlyList<float>? RewardStds = null)
{
    /// <summary>Whether it has one of everything for each of so many answers.</summary>
    public bool IsOf(int answerCount) =>
        Rewards.Count == answerCount && Ranks.Count == answerCount && Truncated.Count == answerCount
        && (WinProbabilities?.Count ?? answerCount) == answerCount && (RewardStds?.Count ?? answerCount) == answerCount;
}

internal sealed record ModelsResponse(IReadOnlyList<ModelOfList> Data);

internal sealed record ModelOfList(string Id, string Architecture, int MaxLength, bool HasChatTemplate, int MemberCount);

/// <summary>Requests and responses of the server's own protocol.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(RewardsRequest))]
[JsonSerializable(typeof(RewardsResponse))]
[JsonSerializable(typeof(ModelsResponse))]
[JsonSerializable(typeof(JsonObject))]
internal sealed partial class WireJson : JsonSerializerContext;
