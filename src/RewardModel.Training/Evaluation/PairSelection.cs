namespace RewardModel.Training.Evaluation;

/// <summary>Chooses pairs to look at: of each list one at most, so that no list fills the page.</summary>
internal static class PairSelection
{
    /// <summary>The pairs with the lowest r_better - r_worse, the worst first.</summary>
    /// <param name="lists">The lists.</param>
    /// <param name="count">How many, at most.</param>
    public static IReadOnlyList<SelectedPair> MostWrong(IReadOnlyList<ScoredList> lists, int count) =>
        Lowest(lists, count, difference => difference);

    /// <summary>The pairs with the lowest |r_better - r_worse|, the closest first.</summary>
    /// <inheritdoc cref="MostWrong"/>
    public static IReadOnlyList<SelectedPair> MostUncertain(IReadOnlyList<ScoredList> lists, int count) => Lowest(lists, count, Math.Abs);

    /// <summary>Equals go by the order of lists and of answers.</summary>
    private static SelectedPair[] Lowest(IReadOnlyList<ScoredList> lists, int count, Func<double, double> valueOf)
    {
        var ofLists = new List<(double Value, SelectedPair Pair)>();
        for (var index = 0; index < lists.Count; index++)
            if (LowestOf(lists[index], index, valueOf) is { } lowest)
                ofLists.Add(lowest);
        return [.. ofLists.OrderBy(lowest => lowest.Value).Take(count).Select(lowest => lowest.Pair)];
    }

    private static (double Value, SelectedPair Pair)? LowestOf(ScoredList list, int index, Func<double, double> valueOf)
    {
        (double Value, SelectedPair Pair)? lowest = null;
        for (var better = 0; better < list.Rewards.Count; better++)
            for (var worse = 0; worse < list.Rewards.Count; worse++)
                if (list.Ranking.Scores[better] > list.Ranking.Scores[worse] && list.Ranking.IsPair(better, worse)
                    && valueOf((double)list.Rewards[better] - list.Rewards[worse]) is var value && !(value >= lowest?.Value))
                    lowest = (value, new SelectedPair(index, better, worse));
        return lowest;
    }
}

/// <summary>A pair to look at.</summary>
/// <param name="List">The index of its list.</param>
/// <param name="Better">The index of the answer with the higher score.</param>
/// <param name="Worse">The index of the other one.</param>
internal readonly record struct SelectedPair(int List, int Better, int Worse);
