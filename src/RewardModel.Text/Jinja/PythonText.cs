using System.Globalization;
using System.Text;

namespace RewardModel.Jinja;

/// <summary>Characters and strings as Python has them: indices count code points.</summary>
internal static class PythonText
{
    public static bool IsSpace(char character) => char.IsWhiteSpace(character) || character is >= '\x1c' and <= '\x1f';

    /// <summary>The number of code points.</summary>
    public static int Length(string text) => HasSurrogates(text) ? Starts(text).Count - 1 : text.Length;

    /// <summary>Every code point as a text of its own.</summary>
    public static IReadOnlyList<TextValue> Characters(TextValue text)
    {
        text = text.Marked(false);
        var starts = Starts(text.Text);
        var characters = new TextValue[starts.Count - 1];
        for (var i = 0; i < characters.Length; i++)
            characters[i] = text.Part(starts[i], starts[i + 1] - starts[i]);
        return characters;
    }

    /// <summary>The index in code points of an index in UTF-16 units.</summary>
    public static long IndexOf(string text, int unit) => HasSurrogates(text) ? Length(text[..unit]) : unit;

    public static bool HasSurrogates(string text) => text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF');

    /// <summary>Where each code point starts, in UTF-16 units, and the end.</summary>
    public static IReadOnlyList<int> Starts(string text)
    {
        var starts = new List<int>(text.Length + 1);
        for (var i = 0; i < text.Length; i += char.IsSurrogatePair(text, i) ? 2 : 1)
            starts.Add(i);
        starts.Add(text.Length);
        return starts;
    }

    /// <summary>Takes white space, or the given characters, off one end or both.</summary>
    public static TextValue Strip(TextValue value, string? characters, bool left, bool right)
    {
        var text = value.Text;
        int start = 0, end = text.Length;
        while (left && start < end && Takes(text[start], characters))
            start++;
        while (right && end > start && Takes(text[end - 1], characters))
            end--;
        return value.Part(start, end - start);
    }

    /// <summary>Python's <c>repr</c> of a string.</summary>
    public static void AppendRepr(StringBuilder result, string text)
    {
        var quote = text.Contains('\'') && !text.Contains('"') ? '"' : '\'';
        result.Append(quote);
        foreach (var rune in text.EnumerateRunes())
            switch (rune.Value)
            {
                case '\n':
                    result.Append("\\n");
                    break;
                case '\r':
                    result.Append("\\r");
                    break;
                case '\t':
                    result.Append("\\t");
                    break;
                case '\\':
                    result.Append("\\\\");
                    break;
                case var value when value == quote:
                    result.Append('\\').Append(quote);
                    break;
                case var value when value == ' ' || IsPrintable(rune):
                    result.Append(rune);
                    break;
                case var value:
                    result.Append(value <= 0xff ? $"\\x{value:x2}" : value <= 0xffff ? $"\\u{value:x4}" : $"\\U{value:x8}");
                    break;
            }
        result.Append(quote);
    }

    /// <summary>The first letter large and the others small.</summary>
    public static string Capitalized(string text)
    {
        var length = text.Length > 1 && char.IsSurrogatePair(text, 0) ? 2 : Math.Min(1, text.Length);
        return text[..length].ToUpperInvariant() + TextMethods.Lower(text[length..]);
    }

    /// <summary>Python's <c>title</c>: large letters where no letter stands before.</summary>
    public static string Titled(string text)
    {
        var result = new StringBuilder(text.Length);
        var followsLetter = false;
        foreach (var rune in text.EnumerateRunes())
        {
            result.Append(followsLetter ? Rune.ToLowerInvariant(rune) : Rune.ToUpperInvariant(rune));
            followsLetter = Rune.IsLetter(rune);
        }
        return result.ToString();
    }

    private static bool Takes(char character, string? characters) =>
        characters is null ? IsSpace(character) : characters.Contains(character);

    private static bool IsPrintable(Rune rune) => Rune.GetUnicodeCategory(rune) is not (
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse
        or UnicodeCategory.OtherNotAssigned or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
        or UnicodeCategory.SpaceSeparator);
}
