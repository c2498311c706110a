using System.Text.RegularExpressions;

namespace Microsoft.ML.Tokenizers;

/// <summary>The matches of a regular expression are the words; what lies between them is dropped.</summary>
public sealed class RegexPreTokenizer : PreTokenizer
{
    private readonly Regex regex;
    private readonly Regex specialTokensRegex;

    /// <param name="regex">What a word is.</param>
    /// <param name="specialTokens">Tokens that are words of their own wherever they stand; may be null.</param>
    public RegexPreTokenizer(Regex regex, IReadOnlyDictionary<string, int> specialTokens)
    {
        ArgumentNullException.ThrowIfNull(regex);
        this.regex = regex;
        if (specialTokens is { Count: > 0 })
            specialTokensRegex =
                new Regex(string.Join('|', specialTokens.Keys.OrderByDescending(token => token.Length).Select(Regex.Escape)));
    }

    public override IEnumerable<(int, int)> PreTokenize(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var words = new List<(int, int)>();
        var start = 0;
        if (specialTokensRegex is not null)
            foreach (var special in specialTokensRegex.EnumerateMatches(text))
            {
                AddWords(text.AsSpan(start, special.Index - start), start, words);
                words.Add((special.Index, special.Length));
                start = special.Index + special.Length;
            }
        AddWords(text.AsSpan(start), start, words);
        return words;
    }

    public override IEnumerable<(int, int)> PreTokenize(ReadOnlySpan<char> text) => PreTokenize(text.ToString());

    private void AddWords(ReadOnlySpan<char> text, int offset, List<(int, int)> words)
    {
        foreach (var word in regex.EnumerateMatches(text))
            words.Add((offset + word.Index, word.Length));
    }
}
