using Microsoft.ML.Tokenizers;
using RewardModel.Tokenizers.Pipeline;

namespace RewardModel.Tokenizers.Normalizers;

/// <summary>Spells a text in the byte alphabet.</summary>
internal sealed class ByteLevelNormalizer : Normalizer
{
    public override string Normalize(string original) => ByteAlphabet.Spell(original);

    public override string Normalize(ReadOnlySpan<char> original) => ByteAlphabet.Spell(original);
}
