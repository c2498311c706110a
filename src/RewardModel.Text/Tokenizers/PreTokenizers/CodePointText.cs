using System.Globalization;
using System.Text;
using RewardModel.Tokenizers.Normalizers;

namespace RewardModel.Tokenizers.PreTokenizers;

/// <summary>
/// A text with one UTF-16 unit for each code point, for regular expressions that were written for code points: a character outside of
/// the basic plane is replaced by one inside of it that has the same general category.
/// </summary>
internal readonly ref struct CodePointText
{
    // Rare ones, so that no expression names them, in the order of UnicodeCategory:
    // Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Zs Zl Zp Cc Cf Cs Co, Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Cn.
    private const string StandIns =
        "\uA640\uA641\u1F88\uA4F8\uA000\uA66F\uA823\uA670\uA620\uA6E6\uA830\u2000\u2028\u2029\u0001\uFFF9\uFFFD\uE000" +
        "\uFE33\uFE58\uFE59\uFE5A\u2E02\u2E03\uA60D\uFE62\uA838\uA700\uA490\u0378";

    private readonly int[]? starts;

    public CodePointText(ReadOnlySpan<char> text)
    {
        if (!text.ContainsAnyInRange('\uD800', '\uDFFF'))
        {
            Units = text;
            return;
        }
        var units = new StringBuilder(text.Length);
        var positions = new List<int>(text.Length + 1);
        for (int start = 0, length; start < text.Length; start += length)
        {
            Rune.DecodeFromUtf16(text[start..], out var rune, out length);
            units.Append(rune.IsBmp ? (char)rune.Value : StandIn(rune));
            positions.Add(start);
        }
        positions.Add(text.Length);
        Units = units.ToString();
        starts = [.. positions];
    }

    /// <summary>The replaced text.</summary>
    public ReadOnlySpan<char> Units { get; }

    /// <summary>Where in the original text a unit starts.</summary>
    public int StartOf(int unit) => starts is null ? unit : starts[unit];

    public static char StandIn(UnicodeCategory category) => StandIns[(int)category];

    /// <summary>Letters in squares are symbols and alphabetic, as letters in circles are.</summary>
    private static char StandIn(Rune character) => Rune.GetUnicodeCategory(character) switch
    {
        UnicodeCategory.OtherSymbol when CharacterData.IsWord(character) => '\u24B6',
        var category => StandIn(category),
    };
}
