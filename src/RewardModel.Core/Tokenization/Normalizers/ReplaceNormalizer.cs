using Microsoft.ML.Tokenizers;

namespace RewardModel.Tokenization.Normalizers;

/// <summary>Replaces every occurrence of one string by another.</summary>
internal sealed class ReplaceNormalizer(string pattern, string content) : Normalizer
{
    public override string Normalize(string original) => original.Replace(pattern, content, StringComparison.Ordinal);

    public override string Normalize(ReadOnlySpan<char> original) => Normalize(original.ToString());
}
