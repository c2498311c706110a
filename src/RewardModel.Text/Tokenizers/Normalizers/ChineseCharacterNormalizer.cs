using System.Buffers;
using System.Text;

namespace RewardModel.Tokenizers.Normalizers;

/// <summary>Puts spaces around Chinese characters, so that each becomes a word.</summary>
internal sealed class ChineseCharacterNormalizer : CharacterNormalizer
{
    private static readonly CharacterSet chinese = new(
        "3400-4DBF 4E00-9FFF F900-FAFF 20000-2A6DF 2A700-2B81F 2B920-2CEAF 2F800-2FA1F");

    private static readonly SearchValues<char> mayChange = UnitsOf(chinese.Contains);

    protected override SearchValues<char> MayChange => mayChange;

    protected override void Append(Rune character, StringBuilder result)
    {
        if (chinese.Contains(character))
            result.Append(' ').Append(character).Append(' ');
        else
            result.Append(character);
    }
}
