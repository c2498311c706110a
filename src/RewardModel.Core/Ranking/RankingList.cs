using RewardModel.Lists;

namespace RewardModel.Ranking;

/// <summary>What a loss knows of a ranked list besides its rewards.</summary>
/// <param name="Scores">K finite scores, higher is better; equal scores are ties.</param>
/// <exception cref="ArgumentNullException">The scores are null.</exception>
public sealed record RankingList(IReadOnlyList<double> Scores)
{
    /// <summary>K finite scores, higher is better; equal scores are ties.</summary>
    public IReadOnlyList<double> Scores { get; init; } = Scores ?? throw new ArgumentNullException(nameof(Scores));

    /// <summary>
    /// For each answer the index of the first one that is equal to it token for token, which no reward can tell apart; null: none are.
    /// </summary>
    public IReadOnlyList<int>? EqualAnswers { get; init; }

    /// <inheritdoc cref="TokenizedList.Margin"/>
    public double? Margin { get; init => field = ListNotes.CheckedMargin(value); }

    /// <inheritdoc cref="TokenizedList.Weight"/>
    public double Weight { get; init => field = ListNotes.CheckedWeight(value); } = 1;

    /// <inheritdoc cref="RankedList.Attributes"/>
    public IReadOnlyList<IReadOnlyDictionary<string, double>>? Attributes
    {
        get;
        init => field = ListNotes.CheckedAttributes(value, Scores.Count);
    }

    /// <summary>Count of ordered pairs: C(K, 2) when no answers are tied or equal.</summary>
    public int PairCount
    {
        get
        {
            var count = 0;
            for (var i = 0; i < Scores.Count; i++)
                for (var j = 0; j < i; j++)
                    if (IsPair(i, j))
                        count++;
            return count;
        }
    }

    /// <summary>The numbers of a list of token ids.</summary>
    public static RankingList Of(TokenizedList list)
    {
        ArgumentNullException.ThrowIfNull(list);
        return new RankingList(list.Scores)
        {
            EqualAnswers = list.EqualAnswers(),
            Margin = list.Margin,
            Weight = list.Weight,
            Attributes = list.Attributes,
        };
    }

    /// <summary>An answer's attributes by their names; null for one that it was not rated by.</summary>
    internal Func<string, double?> AttributeOf(int answer) =>
        name => Attributes?[answer].TryGetValue(name, out var value) == true ? value : null;

    /// <summary>Whether one of two answers is better than the other.</summary>
    internal bool IsPair(int first, int second) => Scores[first] != Scores[second] && !AreEqual(first, second);

    /// <summary>Whether two answers are the same tokens.</summary>
    internal bool AreEqual(int first, int second) => EqualAnswers is not null && EqualAnswers[first] == EqualAnswers[second];
}
