using RewardModel.Lists;

namespace RewardModel.Training.Checks;

/// <summary>Counts things and keeps the places of the first ones.</summary>
internal sealed class Tally
{
    private const int mostExamples = 5;

    private readonly List<SourceLine> examples = [];

    public long Count { get; private set; }

    public void Add(SourceLine source, long count = 1)
    {
        Count += count;
        if (count > 0 && examples.Count < mostExamples && !examples.Contains(source))
            examples.Add(source);
    }

    public void AddIf(bool isFound, SourceLine source)
    {
        if (isFound)
            Add(source);
    }

    public DataCount Of(long all) => new(Count, all, [.. examples]);
}
