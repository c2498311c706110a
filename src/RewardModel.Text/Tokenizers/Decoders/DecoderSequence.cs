namespace RewardModel.Tokenizers.Decoders;

/// <summary>Decoders one after the other.</summary>
internal sealed class DecoderSequence(IReadOnlyList<ITokenDecoder> decoders) : ITokenDecoder
{
    public IReadOnlyList<string> Decode(IReadOnlyList<string> tokens) =>
        decoders.Aggregate(tokens, (current, decoder) => decoder.Decode(current));
}
