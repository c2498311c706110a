namespace RewardModel.Training.Checks;

/// <summary>How often something that understands nothing puts pairs of answers into the right order.</summary>
/// <param name="Name">
/// <c>longer</c>, <c>shorter</c>, <c>more-tokens</c>, <c>more-punctuation</c>, or a linear model of the answer's <c>words</c>,
/// <c>word-pairs</c> or <c>characters</c>, trained on the training side.
/// </param>
/// <param name="Accuracy">The share of pairs in the right order; equal ones count one half.</param>
/// <param name="AccuracyLow">The lower end of its 95 % interval, by prompt.</param>
/// <param name="AccuracyHigh">The upper end.</param>
/// <param name="PairCount">Pairs that it was measured on.</param>
public sealed record LazyBaseline(string Name, double Accuracy, double AccuracyLow, double AccuracyHigh, long PairCount);
