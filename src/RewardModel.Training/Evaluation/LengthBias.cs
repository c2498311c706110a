namespace RewardModel.Training.Evaluation;

/// <summary>How much of the reward is length. Lengths are answers' tokens; pairs of equal lengths are left out of shares.</summary>
/// <param name="LongerIsBetter">The share of pairs whose better answer is the longer one: the bias of the data.</param>
/// <param name="LongerIsPreferred">The share of pairs in which the model prefers the longer answer; equal rewards count one half.</param>
/// <param name="BetterIsLonger">The accuracy where the better answer is longer; null where there is no such pair.</param>
/// <param name="BetterIsShorter">The accuracy where it is shorter; null where there is no such pair.</param>
/// <param name="Correlation">
/// Pearson's correlation of reward and length, both less their list's means; NaN where one of them doesn't vary.
/// </param>
/// <param name="PartialCorrelation">
/// The same with the score held fixed: what of the reward goes with length and is not in the data's own ranking. NaN likewise.
/// </param>
/// <param name="Points">A sample of answers, at most 2,000, to draw.</param>
public sealed record LengthBias(
    double LongerIsBetter, double LongerIsPreferred, AccuracyRow? BetterIsLonger, AccuracyRow? BetterIsShorter,
    double Correlation, double PartialCorrelation, IReadOnlyList<LengthPoint> Points);

/// <summary>An answer's length in tokens and its reward.</summary>
/// <param name="TokenCount">The length.</param>
/// <param name="Reward">The reward.</param>
public readonly record struct LengthPoint(int TokenCount, float Reward);
