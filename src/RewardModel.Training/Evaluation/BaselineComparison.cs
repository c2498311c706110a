namespace RewardModel.Training.Evaluation;

/// <summary>The model beside something that understands nothing, on the same pairs.</summary>
/// <param name="Name">
/// <c>chance</c>, <c>longer</c>, <c>shorter</c> (in tokens), or a linear model of the answers' <c>words</c>, <c>word-pairs</c> or
/// <c>characters</c> that was trained on the training lists.
/// </param>
/// <param name="Accuracy">Its accuracy.</param>
/// <param name="PairCount">The pairs that both are measured on.</param>
/// <param name="Difference">The model's accuracy on them, less that one.</param>
/// <param name="DifferenceLow">The lower end of the 95 % interval of the difference, by the paired bootstrap over prompts.</param>
/// <param name="DifferenceHigh">The upper end.</param>
public sealed record BaselineComparison(
    string Name, double Accuracy, long PairCount, double Difference, double DifferenceLow, double DifferenceHigh);
