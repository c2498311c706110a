namespace RewardModel.Tokenizers.Decoders;

/// <summary>Takes a character off the two ends of every token.</summary>
/// <param name="content">The character.</param>
/// <param name="start">How often at most at the start.</param>
/// <param name="stop">How often at most at the end.</param>
internal sealed class StripDecoder(char content, int start, int stop) : ITokenDecoder
{
    public IReadOnlyList<string> Decode(IReadOnlyList<string> tokens) => [.. tokens.Select(Strip)];

    private string Strip(string token)
    {
        var first = 0;
        while (first < Math.Min(start, token.Length) && token[first] == content)
            first++;
        var last = token.Length;
        while (last > Math.Max(first, token.Length - stop) && token[last - 1] == content)
            last--;
        return token[first..last];
    }
}
