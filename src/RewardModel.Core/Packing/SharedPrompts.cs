using RewardModel.Lists;

namespace RewardModel.Packing;

/// <summary>
/// Lists that are scored together, put together where they have the same prompt, so that it is computed once: lists of one prompt, as
/// several requests bring them, and texts without a prompt that begin alike, as trainers send prompt and answer in one. Of causal
/// architectures, for which it makes no difference where a prompt ends.
/// </summary>
internal sealed class SharedPrompts
{
    /// <summary>More lists are taken as they are: they would all have to be in memory.</summary>
    private const int mostLists = 4096;

    /// <summary>For each of the given lists where its answers went: a list of <see cref="Lists"/>, and their indices there.</summary>
    private readonly (int List, int[] Answers)[]? places;

    public SharedPrompts(IReadOnlyList<TokenizedList> lists)
    {
        Lists = lists;
        if (lists.Count is < 2 or > mostLists)
            return;
        var (texts, withPrompts) = (new List<int>(), new List<int>());
        for (var l = 0; l < lists.Count; l++)
            (IsText(lists[l]) ? texts : withPrompts).Add(l);
        var groups = new List<TokenizedList>();
        places = new (int, int[])[lists.Count];
        AddLists(lists, withPrompts, groups);
        AddTexts(lists, texts, groups);
        if (groups.Count == lists.Count)
            places = null;
        else
            Lists = groups;
    }

    /// <summary>The lists as they are computed.</summary>
    public IReadOnlyList<TokenizedList> Lists { get; }

    /// <summary>How many of the given lists went into one of <see cref="Lists"/>.</summary>
    public int CountOf(int list) => places is null ? 1 : places.Count(place => place.List == list);

    /// <summary>The rewards of the given lists, from those of <see cref="Lists"/>.</summary>
    public float[][] RewardsOfAll(float[][] rewards) => places is null
        ? rewards
        : Array.ConvertAll(places, place => Array.ConvertAll(place.Answers, answer => rewards[place.List][answer]));

    /// <summary>A single answer that the model reads without a prompt.</summary>
    private static bool IsText(TokenizedList list) =>
        list.AnswerIds.Count == 1 && list.PromptOf(0).Length == 0 && list.AnswerTokenType == 0;

    private void AddLists(IReadOnlyList<TokenizedList> lists, List<int> indices, List<TokenizedList> groups)
    {
        // Prompts that are cut for each answer, and none at all, are left as they are.
        var byPrompt = indices.GroupBy(
            l => lists[l].OwnPromptIds is null && lists[l].PromptIds.Length > 0 ? (lists[l].PromptIds, lists[l].AnswerTokenType) : ([l], -1),
            SamePrompt.Comparer);
        foreach (var group in byPrompt)
        {
            var answers = new List<int[]>();
            foreach (var l in group)
            {
                places![l] = (groups.Count, [.. Enumerable.Range(answers.Count, lists[l].AnswerIds.Count)]);
                answers.AddRange(lists[l].AnswerIds);
            }
            var first = lists[group.First()];
            groups.Add(answers.Count == first.AnswerIds.Count ? first : first with { AnswerIds = answers, Scores = new double[answers.Count] });
        }
    }

    /// <summary>
    /// Divides texts, in the order of their token ids, into runs that have a beginning in common: those that leave the fewest tokens to
    /// compute.
    /// </summary>
    private void AddTexts(IReadOnlyList<TokenizedList> lists, List<int> indices, List<TokenizedList> groups)
    {
        int[][] texts = [.. indices.Select(l => lists[l].AnswerIds[0])];
        int[] order = [.. Enumerable.Range(0, texts.Length).OrderBy(i => texts[i], Comparer<int[]>.Create((left, right) =>
            left.AsSpan().SequenceCompareTo(right)))];
        // saved[i]: tokens that the first i texts need not be computed for, at best; starts[i]: where the last of their runs begins.
        var saved = new long[order.Length + 1];
        var starts = new int[order.Length + 1];
        for (var end = 1; end <= order.Length; end++)
        {
            (saved[end], starts[end]) = (saved[end - 1], end - 1);
            // The last token of a text is an answer's.
            var common = texts[order[end - 1]].Length - 1;
            for (var start = end - 2; start >= 0; start--)
            {
                common = Math.Min(common, texts[order[start]].AsSpan(..^1).CommonPrefixLength(texts[order[start + 1]]));
                if (common < PromptCache.LeastTokens)
                    break;
                var with = saved[start] + (long)(end - start - 1) * common;
                if (with > saved[end])
                    (saved[end], starts[end]) = (with, start);
            }
        }
        for (var end = order.Length; end > 0; end = starts[end])
        {
            var run = order[starts[end]..end];
            for (var i = 0; i < run.Length; i++)
                places![indices[run[i]]] = (groups.Count, [i]);
            var first = texts[run[0]];
            var common = run.Min(i => Math.Min(texts[i].Length - 1, first.AsSpan().CommonPrefixLength(texts[i])));
            groups.Add(run.Length == 1
                ? lists[indices[run[0]]]
                : new TokenizedList(first[..common], [.. run.Select(i => texts[i][common..])], new double[run.Length]));
        }
    }

    /// <summary>Prompts with the same token ids before answers of the same token type.</summary>
    private sealed class SamePrompt : IEqualityComparer<(int[] Ids, int AnswerTokenType)>
    {
        public static SamePrompt Comparer { get; } = new();

        public bool Equals((int[] Ids, int AnswerTokenType) x, (int[] Ids, int AnswerTokenType) y) =>
            x.AnswerTokenType == y.AnswerTokenType && x.Ids.AsSpan().SequenceEqual(y.Ids);

        public int GetHashCode((int[] Ids, int AnswerTokenType) prompt)
        {
            var hash = new HashCode();
            hash.AddBytes(System.Runtime.InteropServices.MemoryMarshal.AsBytes(prompt.Ids.AsSpan()));
            return hash.ToHashCode();
        }
    }
}
