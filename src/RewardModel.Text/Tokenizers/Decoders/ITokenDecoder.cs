namespace RewardModel.Tokenizers.Decoders;

/// <summary>A step on the way from tokens, as the vocabulary spells them, to text, which is what the last step's tokens join to.</summary>
internal interface ITokenDecoder
{
    IReadOnlyList<string> Decode(IReadOnlyList<string> tokens);
}
