namespace RewardModel.Training.Checks;

/// <summary>
/// Finds UTF-8 that was read as Latin-1 or Windows-1252, by the bytes that its characters were. A single pair of letters such as É» can be
/// meant, so only the lead bytes that nearly always are damage count by themselves, others where two such sequences follow each other.
/// </summary>
internal static class Mojibake
{
    /// <summary>The characters that Windows-1252 has for the bytes 0x80 to 0x9f; those that it has none for stay as they are.</summary>
    private const string windows1252 =
        "\u20ac\u0081\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u008d\u017d\u008f"
        + "\u0090\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\u009d\u017e\u0178";

    /// <summary>Whether damage starts at a character.</summary>
    public static bool StartsAt(ReadOnlySpan<char> text)
    {
        var length = SequenceLength(text);
        return length > 0
            && (IsSure(text) || SequenceLength(text[length..]) > 0);
    }

    /// <summary>Letters with accents, signs such as £, typographical quotes and dashes, emoji, and the mark at the start of a file.</summary>
    private static bool IsSure(ReadOnlySpan<char> text) => text[0] switch
    {
        '\u00c2' or '\u00c3' => true,
        '\u00e2' => text[1] is '\u20ac' or '\u0080',
        '\u00ef' => text[1] == '\u00bb' && text[2] == '\u00bf',
        '\u00f0' => text[1] is '\u0178' or '\u009f',
        _ => false,
    };

    /// <summary>The length of one character's bytes, of two at least; 0 where the text starts with none.</summary>
    private static int SequenceLength(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty)
            return 0;
        var length = (int)text[0] switch
        {
            >= 0xc2 and <= 0xdf => 2,
            >= 0xe0 and <= 0xef => 3,
            >= 0xf0 and <= 0xf4 => 4,
            _ => 0,
        };
        if (length == 0 || text.Length < length)
            return 0;
        foreach (var character in text[1..length])
            if (character is not (>= '\u0080' and <= '\u00bf') && !windows1252.Contains(character))
                return 0;
        return length;
    }
}
