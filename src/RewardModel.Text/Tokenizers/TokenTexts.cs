namespace RewardModel.Tokenizers;

/// <summary>What each of a run of tokens adds to the text.</summary>
internal static class TokenTexts
{
    /// <summary>UTF-8 has at most four bytes for a character, each of which may be a token.</summary>
    private const int mostTokensOfCharacter = 4;

    private const char replacement = '\uFFFD';

    /// <summary>
    /// For each token its text, special ones by their names; empty for a token that adds nothing. Of tokens that make a character only together
    /// the last one has it.
    /// </summary>
    /// <param name="tokenizer">What the tokens are of.</param>
    /// <param name="ids">Their ids.</param>
    public static string[] Of(HuggingFaceTokenizer tokenizer, ReadOnlySpan<int> ids)
    {
        var texts = new string[ids.Length];
        var start = 0;
        for (var i = 0; i < texts.Length; i++)
        {
            var text = Added(tokenizer, ids, start, i + 1);
            // U+FFFD stands for bytes that make no character yet, unless it is what the text has.
            var isPartOfCharacter = text.EndsWith(replacement) && i + 1 < texts.Length && i + 1 - start < mostTokensOfCharacter
                && !ids[start..(i + 1)].SequenceEqual([.. tokenizer.Encode(text, addSpecialTokens: false)]);
            texts[i] = isPartOfCharacter ? "" : text;
            if (!isPartOfCharacter)
                start = i + 1;
        }
        return texts;
    }

    /// <summary>Decoders treat a text's first token in their own way: with the one before it, a token is not the first.</summary>
    private static string Added(HuggingFaceTokenizer tokenizer, ReadOnlySpan<int> ids, int start, int end)
    {
        if (start > 0 && Decoded(ids[(start - 1)..start]) is { } before && Decoded(ids[(start - 1)..end]) is { } both
            && both.Length > before.Length && both.StartsWith(before, StringComparison.Ordinal))
            return both[before.Length..];
        return Decoded(ids[start..end]);

        string Decoded(ReadOnlySpan<int> some) => tokenizer.Decode(some.ToArray(), skipSpecialTokens: false);
    }
}
