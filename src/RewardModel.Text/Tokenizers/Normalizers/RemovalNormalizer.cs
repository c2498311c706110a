using System.Buffers;
using System.Text;

namespace RewardModel.Tokenizers.Normalizers;

/// <summary>Removes the characters of a set.</summary>
internal sealed class RemovalNormalizer(CharacterSet removed) : CharacterNormalizer
{
    protected override SearchValues<char> MayChange { get; } = UnitsOf(removed.Contains);

    protected override void Append(Rune character, StringBuilder result)
    {
        if (!removed.Contains(character))
            result.Append(character);
    }
}
