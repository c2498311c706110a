using RewardModel.Lists;

namespace RewardModel.Training.Checks;

/// <summary>What lists say about themselves: margins, weights, groups.</summary>
internal sealed class NoteCounts
{
    private readonly Tally margins = new(), weights = new(), groups = new();
    private readonly NamedCounts byGroup = new();
    private int listCount;

    public DataCount Margins => margins.Of(listCount);

    public DataCount Weights => weights.Of(listCount);

    public DataCount Groups => groups.Of(listCount);

    public IReadOnlyDictionary<string, int> ListsByGroup => byGroup.Largest();

    public void Add(double? margin, double weight, string? group, SourceLine source)
    {
        listCount++;
        margins.AddIf(margin is not null, source);
        weights.AddIf(weight != 1, source);
        groups.AddIf(group is not null, source);
        if (group is not null)
            byGroup.Add(group);
    }
}
