using System.Text.RegularExpressions;

namespace Microsoft.ML.Tokenizers;

/// <summary>Cuts a text into words; no token crosses the border of a word.</summary>
public abstract partial class PreTokenizer
{
    /// <summary>The words as (offset, length), in the order of the text.</summary>
    public abstract IEnumerable<(int, int)> PreTokenize(string text);

    /// <inheritdoc cref="PreTokenize(string)"/>
    public abstract IEnumerable<(int, int)> PreTokenize(ReadOnlySpan<char> text);

    /// <summary>Runs of word characters and runs of anything that is neither a word character nor white space, which is dropped.</summary>
    public static PreTokenizer CreateWordOrNonWord(IReadOnlyDictionary<string, int> specialTokens = null) =>
        new RegexPreTokenizer(WordOrNonWord(), specialTokens);

    [GeneratedRegex(@"\w+|[^\w\s]+")]
    private static partial Regex WordOrNonWord();
}
