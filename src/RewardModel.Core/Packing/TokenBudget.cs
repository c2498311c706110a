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
    /// answer with its prompt is never divided.
    /// </summary>
    public static IReadOnlyList<TokenizedList> SplitAnswers(TokenizedList list, int maxTokens, bool sharePrompts = true)
    {
        ArgumentNullException.ThrowIfNull(list);
        var (prompts, promptOfAnswer) = list.DistinctPrompts();
        var parts = new List<TokenizedList>();
        for (int first = 0, next; first < list.AnswerIds.Count; first = next)
        {
            var promptsOfPart = new HashSet<int>();
            var tokens = TokensOf(first);
            // An answer that is the beginning of the next one is computed with it.
            for (next = first + 1;
                next < list.AnswerIds.Count
                && ((tokens += TokensOf(next)) <= maxTokens || (sharePrompts && list.IsContinued(next - 1)));
                next++)
            {
            }
            parts.Add(list.WithAnswers([.. Enumerable.Range(first, next - first)]));

            // Asked once of each answer that is taken, and of the one after the last, after which the part ends.
            int TokensOf(int answer)
            {
                var isNew = promptsOfPart.Add(promptOfAnswer[answer]);
                return (sharePrompts && list.IsContinued(answer) ? 0 : list.AnswerIds[answer].Length) + (isNew || !sharePrompts ? prompts[promptOfAnswer[answer]].Length : 0);
            }
        }
        return parts;
    }
}
