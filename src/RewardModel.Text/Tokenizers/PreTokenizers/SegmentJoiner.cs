namespace RewardModel.Tokenizers.PreTokenizers;

/// <summary>Makes words of the segments of a text, which are delimiters or lie between them and come in their order.</summary>
/// <param name="behavior">What becomes of delimiters.</param>
/// <param name="invert">Whether delimiters and what lies between change places.</param>
/// <param name="offset">What is added to the words' starts.</param>
/// <param name="words">Where the words are added.</param>
internal ref struct SegmentJoiner(DelimiterBehavior behavior, bool invert, int offset, List<(int Start, int Length)> words)
{
    private (int Start, int End, bool IsDelimiter) last;
    private bool hasLast;

    public void Add(int start, int end, bool isDelimiter)
    {
        if (start == end)
            return;
        isDelimiter ^= invert;
        switch (behavior)
        {
            case DelimiterBehavior.Removed when isDelimiter:
                break;
            case DelimiterBehavior.Removed or DelimiterBehavior.Isolated:
                words.Add((offset + start, end - start));
                break;
            case DelimiterBehavior.Contiguous:
                Join(isDelimiter == last.IsDelimiter, start, end, isDelimiter);
                break;
            case DelimiterBehavior.MergedWithPrevious:
                Join(isDelimiter && !last.IsDelimiter, start, end, isDelimiter);
                break;
            default:
                Join(!isDelimiter && last.IsDelimiter, start, end, isDelimiter);
                break;
        }
    }

    /// <summary>Adds the last word.</summary>
    public readonly void Finish()
    {
        if (hasLast)
            words.Add((offset + last.Start, last.End - last.Start));
    }

    private void Join(bool joins, int start, int end, bool isDelimiter)
    {
        if (hasLast && !joins)
            Finish();
        last = (hasLast && joins ? last.Start : start, end, isDelimiter);
        hasLast = true;
    }
}
