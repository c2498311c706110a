namespace RewardModel.Tokenizers.Decoders;

/// <summary>Makes spaces of the sign with which tokens end words, but for the last token's.</summary>
internal sealed class SuffixDecoder(string suffix) : ITokenDecoder
{
    public IReadOnlyList<string> Decode(IReadOnlyList<string> tokens) =>
        [.. tokens.Select((token, i) => token.Replace(suffix, i == tokens.Count - 1 ? "" : " ", StringComparison.Ordinal))];
}
