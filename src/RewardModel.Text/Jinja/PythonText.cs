using System.Globalization;
using System.Text;

namespace RewardModel.Jinja;

/// <summary>Characters and strings as Python has them: indices count code points.</summary>
internal static class PythonText
{
    /// <summary>Parts up to this length are looked for at once.</summary>
    private const int ShortLength = 64;

    public static bool IsSpace(char character) => char.IsWhiteSpace(character) || character is >= '\x1c' and <= '\x1f';

    /// <summary>The number of code points.</summary>
    public static int Length(ReadOnlySpan<char> text)
    {
        if (!HasSurrogates(text))
            return text.Length;
        var count = 0;
        for (var i = 0; i < text.Length; i += SizeAt(text, i))
            count++;
        return count;
    }

    /// <summary>Every code point as a text of its own.</summary>
    public static IEnumerable<TextValue> Characters(TextValue text)
    {
        text = text.Marked(false);
        for (int i = 0, size; i < text.Text.Length; i += size)
        {
            RenderBudget.Spend(1);
            size = SizeAt(text.Text, i);
            yield return text.Part(i, size);
        }
    }

    /// <summary>
    /// The place of a part in the text from an index on, or before it; -1 where there is none. Long parts that occur almost everywhere are
    /// charged for, as the time grows with the product of both lengths.
    /// </summary>
    public static int IndexOf(string text, string part, int from)
    {
        if (part.Length <= ShortLength)
            return text.IndexOf(part, from, StringComparison.Ordinal);
        var start = part[..ShortLength];
        for (var at = text.IndexOf(start, from, StringComparison.Ordinal); at >= 0;
            at = text.IndexOf(start, at + 1, StringComparison.Ordinal))
        {
            RenderBudget.SpendOn(part);
            if (text.AsSpan(at).StartsWith(part))
                return at;
        }
        return -1;
    }

    /// <inheritdoc cref="IndexOf(string, string, int)"/>
    public static int LastIndexOf(string text, string part, int before)
    {
        if (part.Length <= ShortLength)
            return text.AsSpan(0, before).LastIndexOf(part);
        for (var end = before; end >= part.Length;)
        {
            var at = text.AsSpan(0, end).LastIndexOf(part.AsSpan(part.Length - ShortLength));
            RenderBudget.SpendOn(part);
            if (at < 0)
                break;
            if (text.AsSpan(0, at + ShortLength).EndsWith(part))
                return at + ShortLength - part.Length;
            end = at + ShortLength - 1;
        }
        return -1;
    }

    private static int SizeAt(ReadOnlySpan<char> text, int index) =>
        index + 1 < text.Length && char.IsSurrogatePair(text[index], text[index + 1]) ? 2 : 1;

    public static bool HasSurrogates(ReadOnlySpan<char> text) => text.ContainsAnyInRange('\uD800', '\uDFFF');

    /// <summary>Where each code point starts, in UTF-16 units, and the end.</summary>
    public static IReadOnlyList<int> Starts(string text)
    {
        RenderBudget.Allocate(text.Length + 1, sizeof(int));
        var starts = new List<int>(text.Length + 1);
        for (var i = 0; i < text.Length; i += SizeAt(text, i))
            starts.Add(i);
        starts.Add(text.Length);
        return starts;
    }

    /// <summary>Takes white space, or the given characters, off one end or both.</summary>
    public static TextValue Strip(TextValue value, string? characters, bool left, bool right)
    {
        var text = value.Text;
        var taken = characters?.ToHashSet();
        int start = 0, end = text.Length;
        while (left && start < end && Takes(text[start]))
            start++;
        while (right && end > start && Takes(text[end - 1]))
            end--;
        return value.Part(start, end - start);

        bool Takes(char character) => taken?.Contains(character) ?? IsSpace(character);
    }

    /// <summary>Python's <c>repr</c> of a string.</summary>
    public static void AppendRepr(ValueWriter result, string text)
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
                    result.Append(rune.ToString());
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

    private static bool IsPrintable(Rune rune) => Rune.GetUnicodeCategory(rune) is not (
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse
        or UnicodeCategory.OtherNotAssigned or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
        or UnicodeCategory.SpaceSeparator);
}
