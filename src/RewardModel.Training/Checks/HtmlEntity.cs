using System.Buffers;

namespace RewardModel.Training.Checks;

/// <summary>Finds HTML entities: the common ones by name, and characters by their number.</summary>
internal static class HtmlEntity
{
    private static readonly SearchValues<char> hexadecimal = SearchValues.Create("0123456789abcdefABCDEF");
    private static readonly string[] names = ["amp;", "lt;", "gt;", "quot;", "apos;", "nbsp;"];

    /// <summary>Whether a text, which begins with an ampersand, begins with an entity.</summary>
    public static bool StartsAt(ReadOnlySpan<char> text)
    {
        var rest = text[1..];
        if (rest is ['#', ..])
        {
            var isHexadecimal = rest is ['#', 'x' or 'X', ..];
            var digits = rest[(isHexadecimal ? 2 : 1)..];
            var end = isHexadecimal ? digits.IndexOfAnyExcept(hexadecimal) : digits.IndexOfAnyExceptInRange('0', '9');
            return end > 0 && digits[end] == ';';
        }
        foreach (var name in names)
            if (rest.StartsWith(name, StringComparison.Ordinal))
                return true;
        return false;
    }
}
