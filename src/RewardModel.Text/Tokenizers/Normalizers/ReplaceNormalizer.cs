using Microsoft.ML.Tokenizers;
using RewardModel.Tokenizers.Pipeline;

namespace RewardModel.Tokenizers.Normalizers;

/// <summary>Replaces whatever a pattern matches by a string.</summary>
internal sealed class ReplaceNormalizer(TextPattern pattern, string content) : Normalizer
{
    public override string Normalize(string original) => pattern.Replace(original, content);

    public override string Normalize(ReadOnlySpan<char> original) => Normalize(original.ToString());
}
