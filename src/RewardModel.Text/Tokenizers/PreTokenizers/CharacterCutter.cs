using System.Text;

namespace RewardModel.Tokenizers.PreTokenizers;

/// <summary>Cuts a text at every character that fulfils a condition.</summary>
internal sealed class CharacterCutter(Func<Rune, bool> isDelimiter, DelimiterBehavior behavior) : Cutter
{
    public override void Cut(ReadOnlySpan<char> text, int offset, List<(int Start, int Length)> words)
    {
        var joiner = new SegmentJoiner(behavior, invert: false, offset, words);
        var end = 0;
        for (int start = 0, length; start < text.Length; start += length)
        {
            Rune.DecodeFromUtf16(text[start..], out var character, out length);
            if (!isDelimiter(character))
                continue;
            joiner.Add(end, start, isDelimiter: false);
            end = start + length;
            joiner.Add(start, end, isDelimiter: true);
        }
        joiner.Add(end, text.Length, isDelimiter: false);
        joiner.Finish();
    }
}
