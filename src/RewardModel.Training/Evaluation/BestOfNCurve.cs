namespace RewardModel.Training.Evaluation;

/// <summary>What one gains by letting the model choose among answers: of the lists that have the most answers that enough lists have.</summary>
/// <param name="IsOfRanks">
/// Whether scores say an order only; then an answer's score is the share of its list's other answers that it is better than, ties counting
/// one half.
/// </param>
/// <param name="ListCount">The lists, each of at least as many answers as the largest n.</param>
/// <param name="Points">For n = 1, 2, 4, ... and the largest n.</param>
public sealed record BestOfNCurve(bool IsOfRanks, int ListCount, IReadOnlyList<BestOfNPoint> Points);

/// <summary>The choice among n answers, in the mean over all sets of n answers of a list, and over lists.</summary>
/// <param name="N">How many answers there are to choose from.</param>
/// <param name="Chosen">The true score of the answer with the highest reward.</param>
/// <param name="Random">The mean true score.</param>
/// <param name="Best">The highest true score.</param>
public sealed record BestOfNPoint(int N, double Chosen, double Random, double Best)
{
    /// <summary>What is lost by following the model.</summary>
    public double Regret => Best - Chosen;
}
