namespace RewardModel.Training.Evaluation;

/// <summary>The pairwise accuracy on some of the pairs.</summary>
/// <param name="Name">Which pairs.</param>
/// <param name="ListCount">Lists that they are of.</param>
/// <param name="PairCount">How many they are, at least one.</param>
/// <param name="Accuracy">The share whose better answer has the higher reward; equal rewards count one half.</param>
/// <param name="AccuracyLow">The lower end of its 95 % interval, by prompt.</param>
/// <param name="AccuracyHigh">The upper end.</param>
/// <param name="Margin">The mean of r_better - r_worse.</param>
public sealed record AccuracyRow(
    string Name, int ListCount, long PairCount, double Accuracy, double AccuracyLow, double AccuracyHigh, double Margin);
