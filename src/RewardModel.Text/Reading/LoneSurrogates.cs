using System.Globalization;

namespace RewardModel.Reading;

/// <summary>
/// JSON can name half of a character that takes two UTF-16 units ("\ud83d"), which other writers do where they cut a text. No string of
/// whole characters has it, and System.Text.Json reads no string with it.
/// </summary>
internal static class LoneSurrogates
{
    private const int EscapeLength = 6;

    /// <summary>Writes U+FFFD over the escapes of lone surrogates.</summary>
    /// <param name="json">A line of JSON; is changed.</param>
    /// <returns>How many there were.</returns>
    public static int Replace(Span<byte> json)
    {
        var count = 0;
        for (var rest = json; rest.IndexOf((byte)'\\') is >= 0 and var start;)
        {
            rest = rest[start..];
            var unit = UnitOf(rest);
            if (char.IsHighSurrogate(unit) && char.IsLowSurrogate(UnitOf(rest[EscapeLength..])))
            {
                rest = rest[(2 * EscapeLength)..];
                continue;
            }
            if (char.IsSurrogate(unit))
            {
                "\\ufffd"u8.CopyTo(rest);
                count++;
            }
            // Past the sign that a backslash stands before, which may be another one.
            rest = rest[Math.Min(2, rest.Length)..];
        }
        return count;
    }

    /// <summary>The unit of an escape with which a text starts; NUL where it starts with something else.</summary>
    private static char UnitOf(ReadOnlySpan<byte> text) =>
        text.Length >= EscapeLength && text.StartsWith("\\u"u8)
        && ushort.TryParse(text[2..EscapeLength], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var unit)
            ? (char)unit
            : '\0';
}
