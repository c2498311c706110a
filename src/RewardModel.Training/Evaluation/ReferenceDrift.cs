namespace RewardModel.Training.Evaluation;

/// <summary>Where the rewards of reference answers are: at 0, where a model was normalised by them.</summary>
/// <param name="Name">What they were read from.</param>
/// <param name="Count">How many there are.</param>
/// <param name="Mean">The mean of their rewards.</param>
/// <param name="StandardDeviation">Their standard deviation (the population's).</param>
/// <param name="Drift">
/// The mean in standard deviations of the evaluated rewards: how far from 0 the references are. NaN where these don't vary.
/// </param>
/// <param name="ShareAbove">The share of evaluated answers with rewards above that mean.</param>
public sealed record ReferenceDrift(string Name, int Count, double Mean, double StandardDeviation, double Drift, double ShareAbove);
