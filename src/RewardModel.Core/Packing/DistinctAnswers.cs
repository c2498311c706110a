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
    public DistinctAnswers(IReadOnlyList<TokenizedList> lists)
    {
        indices = new int[lists.Count][];
        var distinct = new Dictionary<int, int[]>();
        for (var l = 0; l < lists.Count; l++)
        {
            if (lists[l].EqualAnswers() is not { } firstEqual)
                continue;
            int[] first = [.. firstEqual.Distinct()];
            distinct[l] = first;
            indices[l] = [.. firstEqual.Select(answer => Array.IndexOf(first, answer))];
        }
        Lists = distinct.Count == 0
            ? lists
            : new ChangedLists(lists, (list, l) => distinct.TryGetValue(l, out var first) ? list.WithAnswers(first) : list);
    }

    /// <summary>The lists without their repeated answers; those that have none are the same.</summary>
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

    /// <summary>The rewards of all answers, [N], list by list; gradients add up where answers are equal.</summary>
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
}
