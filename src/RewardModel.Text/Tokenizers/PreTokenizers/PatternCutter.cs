using RewardModel.Tokenizers.Pipeline;

namespace RewardModel.Tokenizers.PreTokenizers;

/// <summary>Cuts a text where a pattern matches.</summary>
internal sealed class PatternCutter(TextPattern pattern, DelimiterBehavior behavior, bool invert) : Cutter
{
    public override void Cut(ReadOnlySpan<char> text, int offset, List<(int Start, int Length)> words)
    {
        var joiner = new SegmentJoiner(behavior, invert, offset, words);
        var end = 0;
        foreach (var (first, last) in pattern.Matches(text))
        {
            joiner.Add(end, first, isDelimiter: false);
            joiner.Add(first, last, isDelimiter: true);
            end = last;
        }
        joiner.Add(end, text.Length, isDelimiter: false);
        joiner.Finish();
    }
}
