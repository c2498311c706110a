namespace RewardModel.Client;

/// <summary>A model that a server has.</summary>
/// <param name="Name">The name that requests give: <see cref="RewardClientOptions.Model"/>.</param>
/// <param name="Architecture"><c>model_type</c> of its config.json.</param>
/// <param name="MaxLength">Most tokens of prompt and answer together; what is longer is cut.</param>
/// <param name="HasChatTemplate">Whether it takes conversations.</param>
/// <param name="MemberCount">How many models its rewards are the means of.</param>
public sealed record ServedModel(string Name, string Architecture, int MaxLength, bool HasChatTemplate, int MemberCount);
