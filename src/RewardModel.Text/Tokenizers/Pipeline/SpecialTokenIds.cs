namespace RewardModel.Tokenizers.Pipeline;

/// <summary>The ids of the tokens that tokenizer_config.json names; null where it names none.</summary>
internal sealed record SpecialTokenIds(int? BeginningOfSequence, int? EndOfSequence, int? Padding, int? Unknown);
