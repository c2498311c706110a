namespace RewardModel.Tokenization;

/// <summary>
/// Which special tokens stand at the start of a prompt and at the end of an answer. A reward depends on it, so it is part of what is
/// saved with a reward model.
/// </summary>
/// <param name="PrependId">The id put before the prompt's text, such as that of the beginning of a sequence; null for none.</param>
/// <param name="AppendId">The id put after the answer's text, such as that of the end of a sequence; null for none.</param>
public sealed record SpecialTokenRule(int? PrependId, int? AppendId);
