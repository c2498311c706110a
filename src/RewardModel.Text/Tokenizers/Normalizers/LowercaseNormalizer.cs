using System.Buffers;
using System.Text;

namespace RewardModel.Tokenizers.Normalizers;

/// <summary>Makes capitals small, each by itself: a sigma at the end of a word becomes σ.</summary>
internal sealed class LowercaseNormalizer : CharacterNormalizer
{
    private static readonly SearchValues<char> mayChange = UnitsOf(character => CharacterData.SmallLetters.ContainsKey(character.Value));

    protected override SearchValues<char> MayChange => mayChange;

    protected override void Append(Rune character, StringBuilder result)
    {
        if (!CharacterData.SmallLetters.TryGetValue(character.Value, out var letters))
            result.Append(character);
        else
            foreach (var letter in letters)
                result.Append(new Rune(letter));
    }
}
