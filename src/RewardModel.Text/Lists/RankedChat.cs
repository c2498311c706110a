namespace RewardModel.Lists;

/// <summary>A ranked list as a conversation.</summary>
/// <param name="Prompt">The messages before the answers.</param>
/// <param name="Answers">The messages of each of the K answers: mostly one of the assistant.</param>
public sealed record RankedChat(Conversation Prompt, IReadOnlyList<IReadOnlyList<ChatMessage>> Answers);
