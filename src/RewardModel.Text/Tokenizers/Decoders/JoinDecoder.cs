namespace RewardModel.Tokenizers.Decoders;

/// <summary>What a tokenizer.json without a decoder means: the tokens with a space between.</summary>
internal sealed class JoinDecoder : ITokenDecoder
{
    public IReadOnlyList<string> Decode(IReadOnlyList<string> tokens) => [string.Join(' ', tokens)];
}
