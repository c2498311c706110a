using RewardModel.Lists;

namespace RewardModel.Tokenizers;

/// <summary>
/// Cuts tokenized lists so that the prompt and each of its answers fit together. The prompt is cut for each answer by itself, at the start
/// of its text, keeping the special tokens around it: what an answer is read with depends on that answer and the prompt alone, not on
/// the other answers. Only an answer that doesn't fit even without a prompt's text is cut: at the end of its text, keeping the special
/// tokens there.
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
        ArgumentNullException.ThrowIfNull(list);
        var pairs = list.AnswerIds.Select((answer, k) => Truncate(list.PromptOf(k), answer)).ToArray();
        var cut = Count([.. list.AnswerIds.Select((answer, k) => (list.PromptOf(k), answer))], pairs);
        return (cut.IsCut ? WithPairs(list, pairs) : list, cut);
    }

    /// <summary>A prompt and one answer, cut where they have to be. What is not cut is the same array.</summary>
    internal (int[] PromptIds, int[] AnswerIds) Truncate(int[] promptIds, int[] answerIds) =>
        Truncate(promptIds, answerIds, CutOf(promptIds, answerIds));

    /// <summary>The same, with what is taken out.</summary>
    internal static (int[] PromptIds, int[] AnswerIds) Truncate(int[] promptIds, int[] answerIds, PairCut cut) =>
        (Without(promptIds, cut.PromptStart, cut.PromptCount), Without(answerIds, cut.AnswerStart, cut.AnswerCount));

    /// <summary>What <see cref="Truncate(int[], int[])"/> takes out of a prompt and one answer.</summary>
    internal PairCut CutOf(int[] promptIds, int[] answerIds)
    {
        var keptAtStart = promptIds.AsSpan().StartsWith([.. rule.BeforePrompt]) ? rule.BeforePrompt.Count : 0;
        var keptAtEnd = promptIds.AsSpan(keptAtStart).EndsWith([.. rule.AfterPrompt]) ? rule.AfterPrompt.Count : 0;
        var keptOfAnswer = answerIds.AsSpan().EndsWith([.. rule.AfterAnswer]) ? rule.AfterAnswer.Count : 0;
        var answerCount = Math.Max(0, answerIds.Length - (MaxLength - keptAtStart - keptAtEnd));
        var promptCount = Math.Max(0, promptIds.Length + answerIds.Length - answerCount - MaxLength);
        return new PairCut(keptAtStart, promptCount, answerIds.Length - answerCount - keptOfAnswer, answerCount);
    }

    /// <summary>What was cut of a list's answers and of the prompts they are read with.</summary>
    internal static TruncationCount Count(
        IReadOnlyList<(int[] PromptIds, int[] AnswerIds)> whole, IReadOnlyList<(int[] PromptIds, int[] AnswerIds)> cut)
    {
        var prompts = CountOf(whole.Select(pair => pair.PromptIds), cut.Select(pair => pair.PromptIds));
        return new TruncationCount(
            prompts with { Cut = Math.Min(prompts.Cut, 1), All = 1 },
            CountOf(whole.Select(pair => pair.AnswerIds), cut.Select(pair => pair.AnswerIds)));
    }

    /// <summary>The list with other answers, and with the prompts that stand before them.</summary>
    internal static TokenizedList WithPairs(TokenizedList list, IReadOnlyList<(int[] PromptIds, int[] AnswerIds)> pairs) => list with
    {
        AnswerIds = [.. pairs.Select(pair => pair.AnswerIds)],
        OwnPromptIds = pairs.All(pair => pair.PromptIds == list.PromptIds)
            ? null
            : [.. pairs.Select(pair => pair.PromptIds == list.PromptIds ? null : pair.PromptIds)],
    };

    private static CutCount CountOf(IEnumerable<int[]> whole, IEnumerable<int[]> cut)
    {
        var lengths = whole.Zip(cut, (before, after) => (Before: before.Length, After: after.Length)).ToArray();
        return new CutCount(
            lengths.Count(pair => pair.After < pair.Before), lengths.Length,
            lengths.Sum(pair => (long)pair.Before - pair.After), lengths.Sum(pair => (long)pair.Before));
    }

    private static int[] Without(int[] ids, int start, int count) => count == 0 ? ids : [.. ids[..start], .. ids[(start + count)..]];
}
