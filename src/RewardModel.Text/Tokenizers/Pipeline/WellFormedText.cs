using System.Text;

namespace RewardModel.Tokenizers.Pipeline;

/// <summary>Text as UTF-8 can hold it.</summary>
internal static class WellFormedText
{
    /// <summary>The text with U+FFFD for every lone surrogate.</summary>
    public static string Of(string text)
    {
        if (!text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF'))
            return text;
        var result = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
            result.Append(rune);
        return result.ToString();
    }
}
