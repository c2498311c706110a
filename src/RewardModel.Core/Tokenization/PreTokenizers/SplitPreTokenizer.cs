using System.Text.RegularExpressions;
using Microsoft.ML.Tokenizers;

namespace RewardModel.Tokenization.PreTokenizers;

/// <summary>Cuts a text by a regular expression over code points, as Hugging Face's Split does.</summary>
/// <param name="regex">The expression.</param>
/// <param name="keepMatches">Whether the matches are words.</param>
/// <param name="keepGaps">Whether what lies between the matches are words.</param>
internal sealed class SplitPreTokenizer(Regex regex, bool keepMatches, bool keepGaps) : PreTokenizer
{
    public override IEnumerable<(int, int)> PreTokenize(string text) => PreTokenize(text.AsSpan());

    public override IEnumerable<(int, int)> PreTokenize(ReadOnlySpan<char> text)
    {
        var codePoints = new CodePointText(text);
        var words = new List<(int, int)>();
        var end = 0;
        foreach (var match in regex.EnumerateMatches(codePoints.Units))
        {
            if (keepGaps)
                Add(codePoints, end, match.Index, words);
            end = match.Index + match.Length;
            if (keepMatches)
                Add(codePoints, match.Index, end, words);
        }
        if (keepGaps)
            Add(codePoints, end, codePoints.Units.Length, words);
        return words;
    }

    private static void Add(CodePointText codePoints, int first, int last, List<(int, int)> words)
    {
        var start = codePoints.StartOf(first);
        if (last > first)
            words.Add((start, codePoints.StartOf(last) - start));
    }
}
