using Microsoft.ML.Tokenizers;

namespace RewardModel.Tokenizers.Normalizers;

/// <summary>Puts a string before every text that is not empty.</summary>
internal sealed class PrependNormalizer(string prefix) : Normalizer
{
    public override string Normalize(string original) => original.Length == 0 ? original : prefix + original;

    public override string Normalize(ReadOnlySpan<char> original) => Normalize(original.ToString());
}
