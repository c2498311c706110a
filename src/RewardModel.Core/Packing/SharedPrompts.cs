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

    /// <param name="lists">The lists.</param>
    /// <param name="sharesBeginnings">Whether texts that begin alike are put together, so that what they share is an answer's no more.</param>
    public SharedPrompts(IReadOnlyList<TokenizedList> lists, bool sharesBeginnings = true)
    {
        Lists = lists;
        if (lists.Count is < 2 or > mostLists)
            return;
        var (texts, withPrompts) = (new List<int>(), new List<int>());
        for (var l = 0; l < lists.Count; l++)
            (sharesBeginnings && IsText(lists[l]) ? texts : withPrompts).Add(l);
        var groups = new List<TokenizedList>();
        places = new (int, int[])[lists.Count];
        AddLists(lists, withPrompts, groups);
        AddTexts(lists, texts, groups);
        if (groups.Count == lists.Count)
        {
            places = null;
            return;
        }
        // In the order in which the first of their lists were given.
        int[] order = [.. places.Select(place => place.List).Distinct()];
        var newPlace = new int[order.Length];
        for (var i = 0; i < order.Length; i++)
            newPlace[order[i]] = i;
        places = Array.ConvertAll(places, place => (newPlace[place.List], place.Answers));
        Lists = [.. order.Select(group => groups[group])];
    }

    /// <summary>The lists as they are computed.</summary>
    public IReadOnlyList<TokenizedList> Lists { get; }

    /// <summary>How many of the given lists went into one of <see cref="Lists"/>.</summary>
    public int CountOf(int list) => places is null ? 1 : places.Count(place => place.List == list);

    /// <summary>The rewards of the given lists, from those of <see cref="Lists"/>.</summary>
    public float[][] RewardsOfAll(float[][] rewards) => places is null
        ? rewards
        : Array.ConvertAll(places, place => Array.ConvertAll(place.Answers, answer => rewards[place.List][answer]));

    /// <summary>The same of rewards of the answers' tokens.</summary>
    public float[][][] RewardsOfAll(float[][][] rewards) => places is null
        ? rewards
        : Array.ConvertAll(places, place => Array.ConvertAll(place.Answers, answer => rewards[place.List][answer]));

    /// <summary>A single answer that the model reads without a prompt.</summary>
    private static bool IsText(TokenizedList list) =>
        list.AnswerIds is [{ Length: > 0 }] && list.PromptOf(0).Length == 0 && list.AnswerTokenType == 0;

    private void AddLists(IReadOnlyList<TokenizedList> lists, List<int> indices, List<TokenizedList> groups)
    {
        // Prompts that are cut for each answer, and none at all, are left as they are; so are lists without answers, which packing refuses.
        var byPrompt = indices.Where(HasPrompt).GroupBy(l => lists[l].PromptIds, SameIds.Comparer)
            .SelectMany(group => group.GroupBy(l => lists[l].AnswerTokenType))
            .Concat<IEnumerable<int>>(indices.Where(l => !HasPrompt(l)).Select(l => (int[])[l]));
        foreach (var group in byPrompt)
        {
            var answers = new List<int[]>();
            foreach (var l in group)
            {
                places![l] = (groups.Count, [.. Enumerable.Range(answers.Count, lists[l].AnswerIds.Count)]);
                answers.AddRange(lists[l].AnswerIds);
            }
            var first = lists[group.First()];
            groups.Add(answers.Count == first.AnswerIds.Count
                ? first
                : first with { AnswerIds = answers, Scores = new double[answers.Count], Attributes = null });
        }

        bool HasPrompt(int l) => lists[l] is { OwnPromptIds: null, PromptIds.Length: > 0, AnswerIds.Count: > 0 };
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
        // Of each text and the one before it; the last token of a text is an answer's.
        int[] commonWithLast =
        [
            .. order.Select((text, i) => i == 0 ? 0 : texts[order[i - 1]].AsSpan(..^1).CommonPrefixLength(texts[text].AsSpan(..^1))),
        ];
        // saved[i]: tokens that the first i texts need not be computed for, at best; starts[i]: where the last of their runs begins.
        var saved = new long[order.Length + 1];
        var starts = new int[order.Length + 1];
        for (var end = 1; end <= order.Length; end++)
        {
            (saved[end], starts[end]) = (saved[end - 1], end - 1);
            var common = int.MaxValue;
            for (var start = end - 2; start >= 0; start--)
            {
                common = Math.Min(common, commonWithLast[start + 1]);
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
            var common = run.Length == 1 ? 0 : commonWithLast[(starts[end] + 1)..end].Min();
            groups.Add(run.Length == 1
                ? lists[indices[run[0]]]
                : new TokenizedList(first[..common], [.. run.Select(i => texts[i][common..])], new double[run.Length]));
        }
    }
}
