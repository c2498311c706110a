using RewardModel.Lists;

namespace RewardModel.Packing;

/// <summary>Divides lists into batches that stay within a count of tokens, lists of similar length together.</summary>
internal static class TokenBudget
{
    /// <summary>
    /// Batches of whole lists, longest first. A list that exceeds the budget alone is a batch of its own: see <see cref="SplitAnswers"/>.
    /// </summary>
    /// <param name="lists">The lists to divide.</param>
    /// <param name="maxTokens">Most tokens of a batch, as <see cref="PackedSequences.CountTokens"/> counts them; at least 1.</param>
    /// <param name="sharePrompts">Whether the answers of a list share its prompt.</param>
    /// <returns>Per batch, indices into <paramref name="lists"/>; each list is in exactly one batch.</returns>
    public static IReadOnlyList<int[]> Batches(IReadOnlyList<TokenizedList> lists, int maxTokens, bool sharePrompts = true)
    {
        ArgumentNullException.ThrowIfNull(lists);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxTokens, 1);
        var tokens = lists.Select(list => PackedSequences.CountTokens(list, sharePrompts)).ToArray();
        var batches = new List<int[]>();
        var batch = new List<int>();
        var batchTokens = 0;
        foreach (var index in Enumerable.Range(0, lists.Count).OrderByDescending(index => tokens[index]))
        {
            if (batch.Count > 0 && batchTokens + tokens[index] > maxTokens)
            {
                batches.Add([.. batch]);
                batch.Clear();
                batchTokens = 0;
            }
            batch.Add(index);
            batchTokens += tokens[index];
        }
        if (batch.Count > 0)
            batches.Add([.. batch]);
        return batches;
    }

    /// <summary>
    /// Cuts one list into lists of consecutive answers with their prompt, each within the budget where that is possible: a single
    /// answer with its prompt is never divided, nor are answers that are each the beginning of the next one.
    /// </summary>
    public static IReadOnlyList<TokenizedList> SplitAnswers(TokenizedList list, int maxTokens, bool sharePrompts = true)
    {
        ArgumentNullException.ThrowIfNull(list);
        var (prompts, promptOfAnswer) = list.DistinctPrompts();
        var parts = new List<TokenizedList>();
        for (int first = 0, next; first < list.AnswerIds.Count; first = next)
        {
            var promptsOfPart = new HashSet<int>();
            long tokens = 0;
            for (next = first; next < list.AnswerIds.Count; next++)
            {
                // Answers that are each the beginning of the next one are computed as one, the last, with one prompt.
                var last = next;
                while (sharePrompts && list.IsContinued(last))
                    last++;
                tokens += list.AnswerIds[last].Length;
                if (promptsOfPart.Add(promptOfAnswer[last]) || !sharePrompts)
                    tokens += prompts[promptOfAnswer[last]].Length;
                if (next > first && tokens > maxTokens)
                    break;
                next = last;
            }
            parts.Add(list.WithAnswers([.. Enumerable.Range(first, next - first)]));
        }
        return parts;
    }
}
