namespace RewardModel.Tokenizers.Pipeline;

/// <summary>What a tokenizer's directory says about conversations and their length.</summary>
/// <param name="Template">The text of the chat template; null where there is none.</param>
/// <param name="SpecialTokens">The special tokens by the names that templates know them by.</param>
/// <param name="MaxLength">The most tokens of a text; null where nothing is said.</param>
internal sealed record ChatTokens(string? Template, IReadOnlyDictionary<string, string> SpecialTokens, int? MaxLength);
