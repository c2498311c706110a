namespace RewardModel.Scoring;

/// <summary>How far the tokenising or scoring of lists has come.</summary>
/// <param name="DoneCount">Lists that are done.</param>
/// <param name="TotalCount">All lists.</param>
public readonly record struct ListProgress(int DoneCount, int TotalCount);
