namespace RewardModel.Tokenizers;

/// <summary>What a token of an answer stands for in its text.</summary>
/// <param name="Text">What it adds to the text that the model reads, special tokens by their names.</param>
/// <param name="Start">
/// Where it begins in the answer's text, in UTF-16 units; null where it is not of that text, or its place there is not known.
/// </param>
/// <param name="End">Where it ends.</param>
internal readonly record struct TokenPlace(string Text, int? Start, int? End);

/// <summary>Where the tokens of answers stand in their texts.</summary>
internal static class TokenPlaces
{
    /// <summary>The tokens of an answer, after it was cut.</summary>
    /// <param name="tokenizer">What they are of.</param>
    /// <param name="ids">
    /// The answer's ids as they are read: those of the pair that were not cut, perhaps with the last ones of the prompt before them.
    /// </param>
    /// <param name="pair">The answer as it was encoded.</param>
    /// <param name="isTextAt">
    /// Where the answer's text stands in the text of all tokens of the pair, the special ones behind the answer excepted, and the index of the
    /// answer's character that stands there; null where that is not known.
    /// </param>
    public static TokenPlace[] Of(
        HuggingFaceTokenizer tokenizer, ReadOnlySpan<int> ids, EncodedPair pair, Func<string, (int Start, int First, int Length)?> isTextAt)
    {
        int[] all = [.. pair.PromptIds, .. pair.AnswerIds];
        var texts = TokenTexts.Of(tokenizer, all);
        var starts = new int[all.Length + 1];
        for (var i = 0; i < all.Length; i++)
            starts[i + 1] = starts[i] + texts[i].Length;
        var place = isTextAt(string.Concat(texts));
        var cut = pair.Cut;
        var ofPrompt = ids.Length - (pair.AnswerIds.Length - cut.AnswerCount);
        var places = new TokenPlace[ids.Length];
        for (var t = 0; t < places.Length; t++)
        {
            var inAnswer = t - ofPrompt;
            var i = pair.PromptIds.Length + inAnswer + (inAnswer < cut.AnswerStart ? 0 : cut.AnswerCount);
            places[t] = place is not { } found || starts[i + 1] <= found.Start || starts[i] >= found.Start + found.Length
                ? new TokenPlace(texts[i], null, null)
                : new TokenPlace(
                    texts[i], found.First + Math.Max(0, starts[i] - found.Start), found.First + Math.Min(found.Length, starts[i + 1] - found.Start));
        }
        return places;
    }
}
