namespace RewardModel.Ranking;

/// <summary>An answer whose rewards are known at each of its tokens.</summary>
/// <param name="FirstRow">Index of its first token's reward among those of all answers' tokens; the others follow.</param>
/// <param name="Ids">Its token ids, at least one.</param>
internal sealed record AnswerTokens(int FirstRow, int[] Ids)
{
    /// <summary>Index of the reward of the answer, that of its last token.</summary>
    public int LastRow => FirstRow + Ids.Length - 1;

    /// <summary>
    /// The rewards of two answers side by side, from the first token at which they differ to the end of the longer one. After its end an answer
    /// keeps the reward of its last token.
    /// </summary>
    public IEnumerable<(int First, int Second)> Compare(AnswerTokens other)
    {
        var length = Math.Max(Ids.Length, other.Ids.Length);
        // Answers are not equal where they are compared, but prompts that were cut may be what they differ in.
        var start = Math.Min(Ids.AsSpan().CommonPrefixLength(other.Ids), length - 1);
        for (var t = start; t < length; t++)
            yield return (Math.Min(FirstRow + t, LastRow), Math.Min(other.FirstRow + t, other.LastRow));
    }
}
