using Microsoft.ML.Tokenizers;
using RewardModel.Tokenizers.Pipeline;

namespace RewardModel.Tokenizers.Normalizers;

/// <summary>Puts a string before every text that is not empty.</summary>
internal sealed class PrependNormalizer(string prefix) : Normalizer
{
    public override string Normalize(string original)
    {
        if (original.Length == 0)
            return original;
        TextGrowth.Check("the normalizer Prepend", original.Length, (long)prefix.Length + original.Length);
        return prefix + original;
    }

    public override string Normalize(ReadOnlySpan<char> original) => Normalize(original.ToString());
}
