using RewardModel.Training.Metrics;

namespace RewardModel.Training.Evaluation;

/// <summary>Two models on the same pairs: those that both have rewards of.</summary>
/// <param name="Accuracy">The first model's accuracy.</param>
/// <param name="OtherAccuracy">That of the other one.</param>
/// <param name="PairCount">The pairs.</param>
/// <param name="Difference">The first one's accuracy less that of the other one, with its interval over prompts.</param>
internal sealed record PairedComparison(double Accuracy, double OtherAccuracy, long PairCount, PairedDifference Difference)
{
    /// <summary>Compares by rewards; null where there is no pair to compare on.</summary>
    /// <param name="lists">The lists with the first model's rewards.</param>
    /// <param name="otherRewards">Of each list those of the other one; null where they are not known.</param>
    /// <param name="seed">Decides what the bootstrap draws.</param>
    public static PairedComparison? Of(ScoredLists lists, IReadOnlyList<IReadOnlyList<float>?> otherRewards, ulong seed) => Of(
        lists, pair => otherRewards[pair.List] is { } rewards ? (double)rewards[pair.Better] - rewards[pair.Worse] : null, seed);

    /// <inheritdoc cref="Of(ScoredLists, IReadOnlyList{IReadOnlyList{float}}, ulong)"/>
    /// <param name="lists">The lists with the first model's rewards.</param>
    /// <param name="otherDifference">
    /// By how much the other one puts the better answer of a pair above the worse one; null for pairs to leave out.
    /// </param>
    /// <param name="seed">Decides what the bootstrap draws.</param>
    public static PairedComparison? Of(ScoredLists lists, Func<ScoredPair, double?> otherDifference, ulong seed)
    {
        var prompts = new List<(double Right, double OtherRight, long Pairs)>(lists.MostUnits);
        var unit = -1;
        foreach (var pair in lists.Pairs())
        {
            if (otherDifference(pair) is not { } difference)
                continue;
            if (pair.Unit != unit)
                prompts.Add((0, 0, 0));
            unit = pair.Unit;
            var (right, otherRight, pairs) = prompts[^1];
            prompts[^1] = (right + ScoredPair.RightOf(pair.Difference), otherRight + ScoredPair.RightOf(difference), pairs + 1);
        }
        if (prompts.Count == 0)
            return null;
        var pairCount = prompts.Sum(prompt => prompt.Pairs);
        return new PairedComparison(
            prompts.Sum(prompt => prompt.Right) / pairCount, prompts.Sum(prompt => prompt.OtherRight) / pairCount, pairCount,
            Bootstrap.Difference(prompts, seed));
    }
}
