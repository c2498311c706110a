namespace RewardModel.Tokenization.Decoders;

/// <summary>Replaces every occurrence of one string by another.</summary>
internal sealed class ReplaceDecoder(string pattern, string content) : ITokenDecoder
{
    public IReadOnlyList<string> Decode(IReadOnlyList<string> tokens) =>
        [.. tokens.Select(token => token.Replace(pattern, content, StringComparison.Ordinal))];
}
