using RewardModel.Lists;

namespace RewardModel.Tokenizers;

/// <summary>
/// Cuts tokenized lists so that the prompt and each of its answers fit together. The K answers share one prompt, so it is cut for the
/// longest of them: at the start of its text, keeping the special tokens around it. Only an answer that doesn't fit even without a
/// prompt's text is cut: at the end of its text, keeping the special tokens there.
/// </summary>
internal sealed class ListTruncation
{
    private readonly SpecialTokenRule rule;

    /// <param name="rule">The special tokens that are kept where they stand at the ends of a prompt or at the end of an answer.</param>
    /// <param name="maxLength">The most tokens that a prompt and one of its answers may have together, special tokens included.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="maxLength"/> leaves no token for an answer's text.</exception>
    public ListTruncation(SpecialTokenRule rule, int maxLength)
    {
        ArgumentNullException.ThrowIfNull(rule);
        if (maxLength <= rule.Count)
            throw new ArgumentOutOfRangeException(
                nameof(maxLength), maxLength,
                $"expected at least {rule.Count + 1}: {rule.Count} special tokens and one token of the answer");
        this.rule = rule;
        MaxLength = maxLength;
    }

    /// <summary>The most tokens that a prompt and one of its answers may have together, special tokens included.</summary>
    public int MaxLength { get; }

    /// <summary>The list, cut where it has to be, and what was cut. A list that fits is returned as it is.</summary>
    public (TokenizedList List, TruncationCount Cut) Truncate(TokenizedList list)
    {
        var promptIds = list.PromptIds;
        var keptAtStart = promptIds.AsSpan().StartsWith([.. rule.BeforePrompt]) ? rule.BeforePrompt.Count : 0;
        var keptAtEnd = promptIds.AsSpan(keptAtStart).EndsWith([.. rule.AfterPrompt]) ? rule.AfterPrompt.Count : 0;
        var maxAnswerLength = MaxLength - keptAtStart - keptAtEnd;
        var cutAnswerCount = list.AnswerIds.Count(ids => ids.Length > maxAnswerLength);
        var longest = Math.Min(maxAnswerLength, list.AnswerIds.Max(ids => ids.Length));
        var cutsPrompt = promptIds.Length + longest > MaxLength;
        if (!cutsPrompt && cutAnswerCount == 0)
            return (list, default);

        var result = list with
        {
            PromptIds = cutsPrompt ? CutStart(promptIds, keptAtStart, MaxLength - longest) : promptIds,
            AnswerIds = [.. list.AnswerIds.Select(ids => ids.Length > maxAnswerLength ? CutEnd(ids, maxAnswerLength) : ids)],
        };
        return (result, new TruncationCount(cutsPrompt ? 1 : 0, cutAnswerCount));
    }

    private static int[] CutStart(int[] ids, int keptAtStart, int length) => [.. ids[..keptAtStart], .. ids[^(length - keptAtStart)..]];

    private int[] CutEnd(int[] ids, int length)
    {
        var keptAtEnd = ids.AsSpan().EndsWith([.. rule.AfterAnswer]) ? rule.AfterAnswer.Count : 0;
        return [.. ids[..(length - keptAtEnd)], .. ids[^keptAtEnd..]];
    }
}
