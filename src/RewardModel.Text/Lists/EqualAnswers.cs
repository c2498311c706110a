namespace RewardModel.Lists;

/// <summary>
/// Answers of one list that a model reads as the same tokens: in the data, after they were cut, or because a chat template drops what they
/// differ in. No model can tell them apart, so they make no pair, whatever their scores are.
/// </summary>
internal static class EqualAnswers
{
    private const int maxNamed = 5;

    /// <summary>A sentence on the lists that have such answers, how many of all and which; null where there are none.</summary>
    /// <param name="lists">The lists as they are read: cut, if they have to be.</param>
    /// <param name="name">What to call them: <c>training lists</c>.</param>
    public static string? Describe(IReadOnlyList<TokenizedList> lists, string name = "lists")
    {
        ArgumentNullException.ThrowIfNull(lists);
        SourceLine[] found = [.. lists.Where(list => list.EqualAnswers() is not null).Select(list => list.Source)];
        return Describe(found.Length, found, lists.Count, name);
    }

    /// <summary>The same, where it is known which lists they are.</summary>
    /// <param name="count">How many have such answers.</param>
    /// <param name="found">Where these were read from; read as far as they are named.</param>
    /// <param name="all">Number of lists.</param>
    /// <param name="name">What to call them.</param>
    public static string? Describe(int count, IEnumerable<SourceLine> found, int all, string name)
    {
        if (count == 0)
            return null;
        string[] sources = [.. found.Select(source => source.ToString()).Distinct().Take(maxNamed + 1)];
        return $"{count} of {all} {name} {Counted.Verb(count, "has", "have")} answers that are equal token for token "
            + $"({string.Join(", ", sources.Take(maxNamed))}{(sources.Length > maxNamed ? ", ..." : "")}): such answers form no pair";
    }
}
