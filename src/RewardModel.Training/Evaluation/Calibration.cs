namespace RewardModel.Training.Evaluation;

/// <summary>
/// Whether sigmoid(r_i - r_j) is the probability that answer i is better: of each pair the confidence is that of the answer with the higher
/// reward, from 0.5 to 1.
/// </summary>
/// <param name="Bins">Ten bins of confidence of the same width; those without pairs are left out.</param>
/// <param name="ExpectedCalibrationError">
/// The mean over pairs of |accuracy - confidence| of their bin (Naeini et al., AAAI 2015; Guo et al., arXiv 1706.04599, eq. 3).
/// </param>
/// <param name="Brier">The mean of (1 - sigmoid(r_better - r_worse))^2: 0.25 for a model that knows nothing.</param>
/// <param name="Temperature">
/// What rewards should be divided by for the lowest mean of -log sigmoid (Guo et al., section 4.2): above 1 the model is too sure of
/// itself. Infinity where no scale is better than none, 0 where every pair is right.
/// </param>
public sealed record Calibration(
    IReadOnlyList<CalibrationBin> Bins, double ExpectedCalibrationError, double Brier, double Temperature);

/// <summary>Pairs of similar confidence.</summary>
/// <param name="Low">The lowest confidence.</param>
/// <param name="High">The highest one.</param>
/// <param name="PairCount">How many they are.</param>
/// <param name="Confidence">The mean confidence.</param>
/// <param name="Accuracy">The share that are right, equal rewards counting one half.</param>
/// <param name="AccuracyLow">The lower end of its 95 % interval, by prompt.</param>
/// <param name="AccuracyHigh">The upper end.</param>
public sealed record CalibrationBin(
    double Low, double High, long PairCount, double Confidence, double Accuracy, double AccuracyLow, double AccuracyHigh);
