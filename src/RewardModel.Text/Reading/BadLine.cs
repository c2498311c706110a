using RewardModel.Lists;

namespace RewardModel.Reading;

/// <summary>A line that does not hold a ranked list.</summary>
/// <param name="Source">Where it is.</param>
/// <param name="Reason">What was found and what was expected; several problems are separated by semicolons.</param>
public readonly record struct BadLine(SourceLine Source, string Reason)
{
    /// <summary><c>file:line: reason</c>.</summary>
    public override string ToString() => $"{Source}: {Reason}";
}
