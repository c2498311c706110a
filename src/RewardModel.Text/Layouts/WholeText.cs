using RewardModel.Lists;

namespace RewardModel.Layouts;

/// <summary>A text or a conversation that is no list: nothing says where an answer begins.</summary>
/// <param name="Text">The text; null for a conversation.</param>
/// <param name="Conversation">The conversation; null for a text.</param>
internal sealed record WholeText(string? Text, Conversation? Conversation);
