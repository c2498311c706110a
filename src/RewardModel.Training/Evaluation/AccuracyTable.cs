namespace RewardModel.Training.Evaluation;

/// <summary>The accuracy on pairs or lists that differ in one respect.</summary>
/// <param name="By">
/// In which: <c>answers</c> (K), <c>rank-distance</c>, <c>score-gap</c>, <c>length-difference</c>, <c>source</c>, <c>group</c>,
/// <c>language</c> or <c>truncation</c>.
/// </param>
/// <param name="Rows">In the order of what they differ in; those of names, the largest first.</param>
public sealed record AccuracyTable(string By, IReadOnlyList<AccuracyRow> Rows);
