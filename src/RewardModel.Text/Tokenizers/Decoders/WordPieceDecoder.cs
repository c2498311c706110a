namespace RewardModel.Tokenizers.Decoders;

/// <summary>Puts a space before every token that starts a word.</summary>
/// <param name="prefix">What other tokens start with: ##.</param>
/// <param name="cleansUp">Whether spaces before punctuation and in English contractions are taken out.</param>
internal sealed class WordPieceDecoder(string prefix, bool cleansUp) : ITokenDecoder
{
    private static readonly (string Found, string Replacement)[] cleanups =
    [
        (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"), (" do not", " don't"),
        (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"),
    ];

    public IReadOnlyList<string> Decode(IReadOnlyList<string> tokens) => [.. tokens.Select(Decode)];

    private string Decode(string token, int index)
    {
        if (index > 0)
            token = token.StartsWith(prefix, StringComparison.Ordinal) ? token[prefix.Length..] : $" {token}";
        if (cleansUp)
            foreach (var (found, replacement) in cleanups)
                token = token.Replace(found, replacement, StringComparison.Ordinal);
        return token;
    }
}
