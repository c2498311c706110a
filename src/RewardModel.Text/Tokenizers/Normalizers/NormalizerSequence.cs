using Microsoft.ML.Tokenizers;

namespace RewardModel.Tokenizers.Normalizers;

/// <summary>Normalizers one after the other.</summary>
internal sealed class NormalizerSequence(IReadOnlyList<Normalizer> normalizers) : Normalizer
{
    public override string Normalize(string original)
    {
        foreach (var normalizer in normalizers)
            original = normalizer.Normalize(original);
        return original;
    }

    public override string Normalize(ReadOnlySpan<char> original) => Normalize(original.ToString());
}
