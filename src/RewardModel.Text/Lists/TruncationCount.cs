namespace RewardModel.Lists;

/// <summary>What was truncated to fit the maximum length, and the totals.</summary>
/// <param name="Prompts">
/// Prompts, one per list, which lose tokens at their start. A prompt counts as cut if it is cut for at least one of its answers; its tokens
/// count once for each answer that it is read with, for each of which it is cut by itself.
/// </param>
/// <param name="Answers">Answers, K per list, which lose tokens at their end.</param>
public readonly record struct TruncationCount(CutCount Prompts, CutCount Answers)
{
    /// <summary>Whether anything was truncated.</summary>
    public bool IsCut => Prompts.Cut > 0 || Answers.Cut > 0;

    /// <summary>The sum of both counts, as over many lists.</summary>
    public static TruncationCount operator +(TruncationCount left, TruncationCount right) =>
        new(left.Prompts + right.Prompts, left.Answers + right.Answers);
}

/// <summary>How many sequences were truncated, and how many tokens were lost. Special tokens are counted.</summary>
/// <param name="Cut">Sequences that lost tokens.</param>
/// <param name="All">All sequences, those that lost none included.</param>
/// <param name="LostTokens">Tokens that were cut off.</param>
/// <param name="AllTokens">Tokens of all sequences, before anything was cut off.</param>
public readonly record struct CutCount(int Cut, int All, long LostTokens, long AllTokens)
{
    /// <summary>The share of the sequences that lost tokens, from 0 to 1; 0 where there are none.</summary>
    public double CutShare => All == 0 ? 0 : (double)Cut / All;

    /// <summary>The share of all tokens that was cut off, from 0 to 1; 0 where there are none.</summary>
    public double LostTokenShare => AllTokens == 0 ? 0 : (double)LostTokens / AllTokens;

    /// <summary>The sum of both counts.</summary>
    public static CutCount operator +(CutCount left, CutCount right) => new(
        left.Cut + right.Cut, left.All + right.All, left.LostTokens + right.LostTokens, left.AllTokens + right.AllTokens);
}
