using System.Text.RegularExpressions;

namespace Microsoft.ML.Tokenizers;

/// <summary>Runs of word characters and runs of anything that is neither a word character nor white space, which is dropped.</summary>
internal sealed partial class WordPreTokenizer : PreTokenizer
{
    public override IEnumerable<(int, int)> PreTokenize(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return PreTokenize(text.AsSpan());
    }

    public override IEnumerable<(int, int)> PreTokenize(ReadOnlySpan<char> text)
    {
        var words = new List<(int, int)>();
        foreach (var word in WordOrNonWord().EnumerateMatches(text))
            words.Add((word.Index, word.Length));
        return words;
    }

    [GeneratedRegex(@"\w+|[^\w\s]+")]
    private static partial Regex WordOrNonWord();
}
