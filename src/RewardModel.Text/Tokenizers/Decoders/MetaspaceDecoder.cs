namespace RewardModel.Tokenizers.Decoders;

/// <summary>Makes spaces of SentencePiece's sign for them.</summary>
/// <param name="replacement">The sign: ▁.</param>
/// <param name="dropsFirst">Whether those of the first token, which stand before the text, are left out.</param>
internal sealed class MetaspaceDecoder(char replacement, bool dropsFirst) : ITokenDecoder
{
    public IReadOnlyList<string> Decode(IReadOnlyList<string> tokens) =>
        [.. tokens.Select((token, i) => token.Replace($"{replacement}", i == 0 && dropsFirst ? "" : " ", StringComparison.Ordinal))];
}
