namespace RewardModel.Training.Evaluation;

/// <summary>What an edit that changes no meaning does to the rewards of a sample of lists.</summary>
/// <param name="Edit">
/// <c>order</c> (the answers in the opposite order), <c>trailing-space</c> (a space and a line break after each answer) or
/// <c>double-spaces</c> (each space of an answer twice).
/// </param>
/// <param name="ListCount">The lists.</param>
/// <param name="MeanChange">The mean of the absolute changes of rewards.</param>
/// <param name="LargestChange">The largest one.</param>
/// <param name="RelativeChange">The mean change over the standard deviation of the rewards within lists; NaN where that is 0.</param>
/// <param name="ChangedPairShare">The share of pairs that the model then puts into another order.</param>
public sealed record ConsistencyCheck(
    string Edit, int ListCount, double MeanChange, double LargestChange, double RelativeChange, double ChangedPairShare);
