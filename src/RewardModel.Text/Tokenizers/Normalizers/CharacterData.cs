using System.Globalization;
using System.Text;

namespace RewardModel.Tokenizers.Normalizers;

/// <summary>
/// What characters are to Hugging Face's tokenizers, whose Unicode tables are of several ages. Taken from that library rather than from
/// .NET, so that a text has the same ids with both.
/// </summary>
internal static partial class CharacterData
{
    /// <summary>What a character is made of for the forms KC and KD, where that is not what it is made of for C and D.</summary>
    public static IReadOnlyDictionary<int, int[]> CompatibilityDecompositions { get; } = CompatibilityTable.Split(' ')
        .Select(entry => entry.Split('='))
        .ToDictionary(parts => Hex(parts[0]), parts => Codes(parts[1]));

    /// <summary>The small letters of every capital.</summary>
    public static IReadOnlyDictionary<int, int[]> SmallLetters { get; } = ReadSmallLetters();

    /// <summary>What the pre-tokenizers Punctuation and BertPreTokenizer cut off.</summary>
    public static CharacterSet Punctuation { get; } = new(PunctuationTable);

    /// <summary>The marks that BertNormalizer takes off.</summary>
    public static CharacterSet NonspacingMarks { get; } = new(NonspacingMarkTable);

    /// <summary>The marks that StripAccents takes off.</summary>
    public static CharacterSet Marks { get; } = new(MarkTable);

    /// <summary>What a regular expression's <c>\w</c> matches: Alphabetic, M, Nd and Pc.</summary>
    public static bool IsWord(Rune character) => Rune.GetUnicodeCategory(character) switch
    {
        <= UnicodeCategory.LetterNumber or UnicodeCategory.ConnectorPunctuation => true,
        // Joiners are word characters to the library's regular expressions, though format characters to Unicode.
        UnicodeCategory.Format => character.Value is 0x200C or 0x200D,
        // Letters in circles and squares are alphabetic symbols.
        UnicodeCategory.OtherSymbol => character.Value
            is (>= 0x24B6 and <= 0x24E9) or (>= 0x1F130 and <= 0x1F149) or (>= 0x1F150 and <= 0x1F169) or (>= 0x1F170 and <= 0x1F189),
        _ => false,
    };

    private static Dictionary<int, int[]> ReadSmallLetters()
    {
        // first-last/step:distance, or the letters themselves where there are several.
        var result = new Dictionary<int, int[]>();
        foreach (var entry in LowercaseTable.Split(' '))
        {
            var parts = entry.Split('-', 2)[1].Split('/', ':');
            var first = Hex(entry[..entry.IndexOf('-')]);
            var step = int.Parse(parts[1], CultureInfo.InvariantCulture);
            for (int code = first, last = Hex(parts[0]); code <= last; code += step)
                result[code] = parts[2].Contains('+') ? Codes(parts[2]) : [code + int.Parse(parts[2], CultureInfo.InvariantCulture)];
        }
        return result;
    }

    private static int[] Codes(string digits) => [.. digits.Split('+').Select(Hex)];

    private static int Hex(string digits) => int.Parse(digits, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
