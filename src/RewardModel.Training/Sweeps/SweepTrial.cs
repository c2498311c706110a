using RewardModel.Training.Metrics;

namespace RewardModel.Training.Sweeps;

/// <summary>A trial of a sweep.</summary>
/// <param name="Number">From 1 on.</param>
/// <param name="Values">The values of the options that differ.</param>
/// <param name="Directory">The directory of its run and its model.</param>
/// <param name="Metrics">Those of its best evaluation; null for a trial that failed, and without held-out lists.</param>
/// <param name="Failure">Why it failed, such as by diverging; null for one that didn't.</param>
public sealed record SweepTrial(
    int Number, IReadOnlyDictionary<string, string> Values, string Directory, RankingMetrics? Metrics, string? Failure);
