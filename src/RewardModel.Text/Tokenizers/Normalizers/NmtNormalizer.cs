using System.Buffers;
using System.Text;

namespace RewardModel.Tokenizers.Normalizers;

/// <summary>SentencePiece's rule for translation: control characters are removed, and what separates words becomes a space.</summary>
internal sealed class NmtNormalizer : CharacterNormalizer
{
    private static readonly CharacterSet removed = new("1-8 B-B E-1F 7F-7F 8F-8F 9F-9F");
    private static readonly CharacterSet spaces = new("9-A C-D 1680-1680 200B-200F 2028-2029 2581-2581 FEFF-FEFF FFFD-FFFD");
    private static readonly SearchValues<char> mayChange = UnitsOf(character => removed.Contains(character) || spaces.Contains(character));

    protected override SearchValues<char> MayChange => mayChange;

    protected override void Append(Rune character, StringBuilder result)
    {
        if (spaces.Contains(character))
            result.Append(' ');
        else if (!removed.Contains(character))
            result.Append(character);
    }
}
