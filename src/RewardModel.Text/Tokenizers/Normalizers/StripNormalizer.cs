using Microsoft.ML.Tokenizers;

namespace RewardModel.Tokenizers.Normalizers;

/// <summary>Takes white space off the ends of a text.</summary>
internal sealed class StripNormalizer(bool left, bool right) : Normalizer
{
    public override string Normalize(string original) => Normalize(original.AsSpan());

    public override string Normalize(ReadOnlySpan<char> original)
    {
        if (left)
            original = original.TrimStart();
        return (right ? original.TrimEnd() : original).ToString();
    }
}
