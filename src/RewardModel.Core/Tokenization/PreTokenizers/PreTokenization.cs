using Microsoft.ML.Tokenizers;

namespace RewardModel.Tokenization.PreTokenizers;

/// <summary>What the "pre_tokenizer" of a tokenizer.json says.</summary>
/// <param name="Splitter">What cuts a text into words; null leaves it whole.</param>
/// <param name="IsByteLevel">Whether the words are spelt in the byte alphabet.</param>
/// <param name="AddsPrefixSpace">Whether a text that doesn't start with a space gets one.</param>
internal sealed record PreTokenization(PreTokenizer? Splitter, bool IsByteLevel, bool AddsPrefixSpace);
