using System.Globalization;
using System.Text;

namespace RewardModel.Lists;

/// <summary>How the steps of a solution end.</summary>
/// <param name="Separator">
/// What they end with; empty where that is not known. The name of a special token of the tokenizer is that token where a step ends with it.
/// </param>
internal sealed record StepEnds(string Separator)
{
    /// <summary>Whether the last answer is the whole solution, with the special tokens behind it that end any answer.</summary>
    public bool HasWholeAnswer { get; init; }

    /// <summary>Ends of steps without a label, in characters from the beginning of the first step, ascending.</summary>
    public IReadOnlyList<int> Unlabelled { get; init; } = [];

    /// <summary>Where the steps of a text end: behind every separator in it, one after the other.</summary>
    /// <param name="text">The text.</param>
    /// <param name="separator">At least one character.</param>
    public static IReadOnlyList<int> In(string text, string separator)
    {
        var ends = new List<int>();
        for (var start = 0; text.IndexOf(separator, start, StringComparison.Ordinal) is >= 0 and var found; start = ends[^1])
            ends.Add(found + separator.Length);
        return ends;
    }

    /// <summary>A separator as it is written where line breaks are hard to write: with the escapes \n, \r, \t, \\ and \u with four hexadecimal digits.</summary>
    /// <exception cref="ArgumentException">It is empty, or has another escape.</exception>
    public static string Unescape(string text)
    {
        var result = new StringBuilder();
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\')
            {
                result.Append(text[i]);
                continue;
            }
            i++;
            var escaped = i == text.Length ? (char?)null : text[i] switch
            {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                '\\' => '\\',
                'u' when i + 4 < text.Length
                    && ushort.TryParse(text.AsSpan(i + 1, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code) => (char)code,
                _ => null,
            };
            result.Append(escaped ?? throw new ArgumentException(
                $"The separator '{text}' has an escape that is not known; expected \\n, \\r, \\t, \\\\ or \\uXXXX."));
            i += text[i] == 'u' ? 4 : 0;
        }
        return result.Length > 0 ? result.ToString() : throw new ArgumentException("The separator is empty; expected a text.");
    }
}
