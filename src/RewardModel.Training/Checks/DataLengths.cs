namespace RewardModel.Training.Checks;

/// <summary>How long prompts or answers are, in characters or in tokens.</summary>
/// <param name="Median">Half of them are not longer.</param>
/// <param name="Percentile90">90 % of them are not longer.</param>
/// <param name="Percentile99">99 % of them are not longer.</param>
/// <param name="Longest">None is longer.</param>
public sealed record DataLengths(int Median, int Percentile90, int Percentile99, int Longest);
