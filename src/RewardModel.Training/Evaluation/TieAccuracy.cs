namespace RewardModel.Training.Evaluation;

/// <summary>What ties do to the accuracy.</summary>
/// <param name="EqualRewardPairCount">Pairs with different scores and equal rewards.</param>
/// <param name="AccuracyTiesWrong">The accuracy when these count as wrong, not one half.</param>
/// <param name="TiedPairCount">Pairs with equal scores, of answers that are not equal.</param>
/// <param name="ThreeWayAccuracy">
/// The share of all pairs, tied ones included, that are put into the right one of three classes (better, worse, tied), where rewards less
/// than <paramref name="Threshold"/> apart are a tie (Deutsch et al., "Ties Matter", arXiv 2305.14324, section 5).
/// </param>
/// <param name="Threshold">The difference of rewards that gives the highest such share on these pairs.</param>
public sealed record TieAccuracy(
    long EqualRewardPairCount, double AccuracyTiesWrong, long TiedPairCount, double ThreeWayAccuracy, double Threshold);
