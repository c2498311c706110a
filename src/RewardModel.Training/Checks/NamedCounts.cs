namespace RewardModel.Training.Checks;

/// <summary>Counts lists by name, such as that of their script.</summary>
internal sealed class NamedCounts
{
    private const int mostNames = 20;

    private readonly Dictionary<string, int> counts = [];

    public void Add(string name) => counts[name] = counts.GetValueOrDefault(name) + 1;

    /// <summary>Those of most lists, the largest first.</summary>
    public IReadOnlyDictionary<string, int> Largest() => counts
        .OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key, StringComparer.Ordinal).Take(mostNames)
        .ToDictionary(pair => pair.Key, pair => pair.Value);
}
