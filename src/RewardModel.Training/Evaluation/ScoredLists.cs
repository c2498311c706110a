namespace RewardModel.Training.Evaluation;

/// <summary>
/// Scored lists in the order in which statistics read them: those of one prompt beside each other. What is counted by prompt then needs the
/// memory of one prompt.
/// </summary>
internal sealed class ScoredLists
{
    private readonly int[] promptOf;
    private readonly int[] order;
    private readonly bool haveOnePrompt;

    /// <param name="lists">The lists.</param>
    public ScoredLists(IReadOnlyList<ScoredList> lists)
    {
        All = lists;
        promptOf = new int[lists.Count];
        var prompts = new Dictionary<UInt128, int>(lists.Count);
        var withPairs = new HashSet<int>();
        for (var i = 0; i < lists.Count; i++)
        {
            if (!prompts.TryGetValue(lists[i].Prompt, out promptOf[i]))
                prompts.Add(lists[i].Prompt, promptOf[i] = prompts.Count);
            var pairCount = lists[i].Ranking.PairCount;
            if (pairCount > 0 && withPairs.Count < 2)
                withPairs.Add(promptOf[i]);
            PairCount += pairCount;
        }
        haveOnePrompt = withPairs.Count < 2;
        MostUnits = haveOnePrompt ? lists.Count : prompts.Count;

        var starts = new int[prompts.Count + 1];
        foreach (var prompt in promptOf)
            starts[prompt + 1]++;
        for (var prompt = 0; prompt < prompts.Count; prompt++)
            starts[prompt + 1] += starts[prompt];
        order = new int[lists.Count];
        for (var i = 0; i < lists.Count; i++)
            order[starts[promptOf[i]]++] = i;
    }

    /// <summary>The lists as they were given.</summary>
    public IReadOnlyList<ScoredList> All { get; }

    /// <summary>Pairs have at most as many units.</summary>
    public int MostUnits { get; }

    /// <summary>How many pairs all lists have.</summary>
    public long PairCount { get; }

    /// <summary>r_better - r_worse of all pairs, in ascending order: eight bytes for each pair, made when it is first asked for.</summary>
    public double[] Differences
    {
        get
        {
            if (field is not null)
                return field;
            var differences = new double[PairCount];
            var count = 0;
            foreach (var pair in Pairs())
                differences[count++] = pair.Difference;
            Array.Sort(differences);
            return field = differences;
        }
    }

    /// <summary>The pairs of all lists, those of one prompt one after the other.</summary>
    public IEnumerable<ScoredPair> Pairs()
    {
        foreach (var index in order)
        {
            var list = All[index];
            // Where all lists have one prompt, an instruction that never changes, it says nothing, and lists are told apart.
            var unit = haveOnePrompt ? index : promptOf[index];
            for (var i = 1; i < list.Rewards.Count; i++)
            {
                var (score, reward) = (list.Ranking.Scores[i], (double)list.Rewards[i]);
                for (var j = 0; j < i; j++)
                    if (list.Ranking.IsPair(i, j))
                        yield return score > list.Ranking.Scores[j]
                            ? new(list, index, unit, i, j, reward - list.Rewards[j])
                            : new(list, index, unit, j, i, list.Rewards[j] - reward);
            }
        }
    }

    /// <summary>For each prompt its lists, prompts of one list left out.</summary>
    public IEnumerable<ReadOnlyMemory<int>> ListsOfRepeatedPrompts()
    {
        for (int start = 0, end; start < order.Length; start = end)
        {
            end = start + 1;
            while (end < order.Length && promptOf[order[end]] == promptOf[order[start]])
                end++;
            if (end - start > 1)
                yield return order.AsMemory(start, end - start);
        }
    }
}

/// <summary>Two answers of a list, one of which is better.</summary>
/// <param name="Of">The list.</param>
/// <param name="List">Its index.</param>
/// <param name="Unit">What pairs depend on each other by: their prompt, or their list where all lists have one prompt.</param>
/// <param name="Better">The index of the answer with the higher score.</param>
/// <param name="Worse">The index of the other one.</param>
/// <param name="Difference">r_better - r_worse.</param>
internal readonly record struct ScoredPair(ScoredList Of, int List, int Unit, int Better, int Worse, double Difference)
{
    /// <summary>How right a pair is: 1, one half for equal rewards, or 0.</summary>
    /// <param name="difference">r_better - r_worse.</param>
    public static double RightOf(double difference) => difference > 0 ? 1 : difference == 0 ? 0.5 : 0;
}
