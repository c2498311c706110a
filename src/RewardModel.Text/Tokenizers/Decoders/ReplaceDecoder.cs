using RewardModel.Tokenizers.Pipeline;

namespace RewardModel.Tokenizers.Decoders;

/// <summary>Replaces whatever a pattern matches by a string.</summary>
internal sealed class ReplaceDecoder(TextPattern pattern, string content) : ITokenDecoder
{
    public IReadOnlyList<string> Decode(IReadOnlyList<string> tokens) => [.. tokens.Select(token => pattern.Replace(token, content))];
}
