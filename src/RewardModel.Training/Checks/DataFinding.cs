using RewardModel.Lists;

namespace RewardModel.Training.Checks;

/// <summary>Something about the data that the user should know.</summary>
/// <param name="Id">What it is, such as <c>leak</c>; docs/check-data.md describes every one.</param>
/// <param name="Severity">How bad it is.</param>
/// <param name="Count">How many lists, answers or pairs have it.</param>
/// <param name="Share">The share of all of them, from 0 to 1.</param>
/// <param name="Sentence">What was found, and what to do.</param>
/// <param name="Examples">Where the first ones were read from.</param>
public sealed record DataFinding(
    string Id, FindingSeverity Severity, long Count, double Share, string Sentence, IReadOnlyList<SourceLine> Examples);
