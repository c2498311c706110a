using RewardModel.Kernels;
using RewardModel.Lists;
using static TorchSharp.torch;

namespace RewardModel.Packing;

/// <summary>
/// Ranked lists in which answers that are equal token for token stand once, so that they are computed once and have one reward, which is
/// the same for all of them to the bit.
/// </summary>
internal sealed class DistinctAnswers
{
    /// <summary>
    /// Per list, for each of its answers the index of the one that stands for it in <see cref="Lists"/>; null where all do.
    /// </summary>
    private readonly int[]?[] indices;

    /// <param name="lists">Lists with all their answers.</param>
    /// <param name="areSorted">
    /// Whether answers are computed in an order of their token ids, so that the order in which they are given doesn't change the rounding of
    /// any reward.
    /// </param>
    public DistinctAnswers(IReadOnlyList<TokenizedList> lists, bool areSorted = false)
    {
        indices = new int[lists.Count][];
        var changed = new Dictionary<int, int[]>();
        for (var l = 0; l < lists.Count; l++)
        {
            var list = lists[l];
            var firstEqual = list.EqualAnswers();
            int[] computed = firstEqual is null ? [.. Enumerable.Range(0, list.AnswerIds.Count)] : [.. firstEqual.Distinct()];
            if (areSorted)
                Array.Sort(computed, (first, second) => Compare(list, first, second));
            if (firstEqual is null && computed.SequenceEqual(Enumerable.Range(0, computed.Length)))
                continue;
            changed[l] = computed;
            indices[l] = [.. Enumerable.Range(0, list.AnswerIds.Count).Select(answer => Array.IndexOf(computed, firstEqual?[answer] ?? answer))];
        }
        Lists = changed.Count == 0
            ? lists
            : new ChangedLists(lists, (list, l) => changed.TryGetValue(l, out var computed) ? list.WithAnswers(computed) : list);
    }

    /// <summary>The lists as they are computed.</summary>
    public IReadOnlyList<TokenizedList> Lists { get; }

    /// <summary>
    /// For each answer, list by list, its token ids, and the index of the first of them among the tokens of all answers of
    /// <see cref="Lists"/>.
    /// </summary>
    public IEnumerable<(int FirstToken, int[] Ids)> Tokens()
    {
        var first = 0;
        for (var l = 0; l < indices.Length; l++)
        {
            var answers = new List<(int FirstToken, int[] Ids)>();
            foreach (var ids in Lists[l].AnswerIds)
            {
                answers.Add((first, ids));
                first += ids.Length;
            }
            foreach (var index in indices[l] ?? Enumerable.Range(0, answers.Count))
                yield return answers[index];
        }
    }

    /// <summary>The rewards of all answers, list by list.</summary>
    /// <param name="rewards">Those of <see cref="Lists"/>.</param>
    public float[][] RewardsOfAll(float[][] rewards) =>
        [.. rewards.Zip(indices, (list, ofList) => ofList is null ? list : Array.ConvertAll(ofList, index => list[index]))];

    /// <summary>The rewards of all answers, [N], or rows of several numbers, list by list; gradients add up where answers are equal.</summary>
    /// <param name="rewards">Those of <see cref="Lists"/>; returned where no answers are equal.</param>
    public Tensor RewardsOfAll(Tensor rewards)
    {
        if (indices.All(ofList => ofList is null))
            return rewards;
        var rows = new List<long>();
        for (int l = 0, first = 0; l < indices.Length; first += Lists[l].AnswerIds.Count, l++)
            rows.AddRange((indices[l] ?? Enumerable.Range(0, Lists[l].AnswerIds.Count)).Select(index => (long)first + index));
        using var rows_N = DeviceTensor.Of([.. rows], rewards.device);
        return rewards.index_select(0, rows_N);
    }

    private static int Compare(TokenizedList list, int first, int second)
    {
        var order = list.AnswerIds[first].AsSpan().SequenceCompareTo(list.AnswerIds[second]);
        return order != 0 ? order : list.PromptOf(first).AsSpan().SequenceCompareTo(list.PromptOf(second));
    }
}
