namespace RewardModel.Lists;

/// <summary>How much was cut to fit the maximum length.</summary>
/// <param name="PromptCount">Prompts that lost tokens at their start.</param>
/// <param name="AnswerCount">Answers that lost tokens at their end.</param>
public readonly record struct TruncationCount(int PromptCount, int AnswerCount)
{
    /// <summary>The sum of both counts, as over many lists.</summary>
    public static TruncationCount operator +(TruncationCount left, TruncationCount right) =>
        new(left.PromptCount + right.PromptCount, left.AnswerCount + right.AnswerCount);
}
