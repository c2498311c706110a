namespace RewardModel.Tokenizers.OlderFiles;

/// <summary>An <see cref="OlderTokenizer"/> as the files of today, in UTF-8.</summary>
/// <param name="File">The name of the file that it was made of.</param>
/// <param name="Json">tokenizer.json.</param>
/// <param name="SpecialTokens">special_tokens_map.json.</param>
internal sealed record OlderTokenizerJson(string File, byte[] Json, byte[] SpecialTokens);
