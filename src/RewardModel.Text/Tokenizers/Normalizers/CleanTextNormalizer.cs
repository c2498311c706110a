using System.Buffers;
using System.Globalization;
using System.Text;

namespace RewardModel.Tokenizers.Normalizers;

/// <summary>BERT's cleaning: control characters and U+FFFD are removed, white space becomes spaces.</summary>
internal sealed class CleanTextNormalizer : CharacterNormalizer
{
    // Newer than the tables of Hugging Face's library.
    private static readonly CharacterSet unknownControls = new("890-891 8E2-8E2 110CD-110CD 13430-1343F");
    private static readonly SearchValues<char> mayChange =
        UnitsOf(character => character.Value != ' ' && (IsRemoved(character) || Rune.IsWhiteSpace(character)));

    protected override SearchValues<char> MayChange => mayChange;

    protected override void Append(Rune character, StringBuilder result)
    {
        if (character.Value is '\t' or '\n' or '\r')
            result.Append(' ');
        else if (!IsRemoved(character))
            result.Append(Rune.IsWhiteSpace(character) ? new Rune(' ') : character);
    }

    private static bool IsRemoved(Rune character) =>
        character.Value == 0xFFFD
        || (Rune.GetUnicodeCategory(character) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.PrivateUse
            && !unknownControls.Contains(character));
}
