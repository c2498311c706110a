using static TorchSharp.torch;

namespace RewardModel.Ranking;

/// <summary>
/// One term of a loss: a function of the rewards of ranked lists, each answer scored once. Of every list it has a mean (over its pairs, its
/// choices or its answers), and it sums what lists weigh times their means.
/// </summary>
internal abstract class LossTerm
{
    /// <summary>The name by which options and logs call it.</summary>
    public abstract string Name { get; }

    /// <summary>The weighted sum over the lists.</summary>
    /// <param name="rewards">[N], float32; or, where the targets compare token by token, of all answers' tokens.</param>
    /// <param name="targets">What is known of the lists.</param>
    /// <returns>A scalar, float32; 0 where no list has anything of this term.</returns>
    public abstract Tensor Sum(Tensor rewards, RankingTargets targets);

    /// <summary>The mean of one list as a number, in float64, not weighted; 0 where it has nothing of this term.</summary>
    /// <param name="rewards">K rewards, finite.</param>
    /// <param name="list">What is known of them.</param>
    /// <param name="pairs">The pairs among them.</param>
    public abstract double OfList(IReadOnlyList<float> rewards, RankingList list, IReadOnlyList<RankedPair> pairs);

    /// <summary>log(1 + e^x), which neither overflows nor loses what is small.</summary>
    protected static double Softplus(double x) => Math.Max(x, 0) + double.LogP1(Math.Exp(-Math.Abs(x)));
}
