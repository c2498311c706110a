using Microsoft.ML.Tokenizers;
using RewardModel.Tokenizers.Pipeline;

namespace RewardModel.Tokenizers.Normalizers;

/// <summary>Normalizers one after the other.</summary>
internal sealed class NormalizerSequence(IReadOnlyList<Normalizer> normalizers) : Normalizer
{
    public override string Normalize(string original)
    {
        var text = original;
        foreach (var normalizer in normalizers)
        {
            text = normalizer.Normalize(text);
            TextGrowth.Check("the normalizer Sequence", original.Length, text.Length);
        }
        return text;
    }

    public override string Normalize(ReadOnlySpan<char> original) => Normalize(original.ToString());
}
