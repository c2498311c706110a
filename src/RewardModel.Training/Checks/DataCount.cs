using RewardModel.Lists;

namespace RewardModel.Training.Checks;

/// <summary>How many of all lists, answers or pairs have something.</summary>
/// <param name="Count">Those that have it.</param>
/// <param name="Of">All.</param>
/// <param name="Examples">Where the first ones were read from, at most five lines.</param>
public sealed record DataCount(long Count, long Of, IReadOnlyList<SourceLine> Examples)
{
    /// <summary>The share of all, from 0 to 1; 0 where there are none.</summary>
    public double Share => Of == 0 ? 0 : (double)Count / Of;
}
