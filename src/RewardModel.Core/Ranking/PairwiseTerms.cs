using static TorchSharp.torch;

namespace RewardModel.Ranking;

/// <summary>A loss of pairs: a function of z = r_w - r_l - m, the better answer's reward minus the worse one's and the margin.</summary>
internal abstract class PairwiseTerm : LossTerm
{
    /// <inheritdoc/>
    public sealed override Tensor Sum(Tensor rewards, RankingTargets targets)
    {
        var pairs = targets.ComparedPairs;
        var z_M = rewards.index_select(0, pairs.Better).sub(rewards.index_select(0, pairs.Worse));
        if (pairs.Margins is { } margins_M)
            z_M = z_M.sub(margins_M);
        return OfPairs(z_M, pairs).mul(pairs.Weights).sum();
    }

    /// <inheritdoc/>
    public sealed override double OfList(IReadOnlyList<float> rewards, RankingList list, IReadOnlyList<RankedPair> pairs)
    {
        double sum = 0;
        foreach (var pair in pairs)
            sum += OfPair((double)rewards[pair.Better] - rewards[pair.Worse] - pair.Margin, pair.IsTie);
        return pairs.Count == 0 ? 0 : sum / pairs.Count;
    }

    /// <summary>The loss of one pair as a number, in float64.</summary>
    protected abstract double OfPair(double z, bool isTie);

    /// <summary>The loss of each pair, [M], float32.</summary>
    protected abstract Tensor OfPairs(Tensor z_M, PairTargets pairs);
}

/// <summary>
/// -log sigmoid(z), the negative log-likelihood of Bradley and Terry's model (arXiv 2203.02155, eq. 1), with the margin of Llama 2 (arXiv
/// 2307.09288, eq. 2). With label smoothing e it is the cross-entropy towards 1 - e instead of 1,
/// -(1 - e) log sigmoid(z) - e log sigmoid(-z): e is the share of labels that are taken to be wrong (Mitchell, "A note on DPO with noisy
/// preferences and relationship to IPO", 2023; for the loss of DPO, arXiv 2305.18290). Ties have the probability 1/2, as in models of
/// draws without a parameter for them (Rao and Kupper 1967, Davidson 1970).
/// </summary>
/// <param name="labelSmoothing">e, from 0 to below 1/2.</param>
internal sealed class LogSigmoidTerm(double labelSmoothing) : PairwiseTerm
{
    public const string TermName = "log-sigmoid";

    public override string Name => TermName;

    // -t log sigmoid(z) - (1 - t) log sigmoid(-z) = -log sigmoid(z) + (1 - t) z
    protected override double OfPair(double z, bool isTie) => Softplus(-z) + (isTie ? 0.5 : labelSmoothing) * z;

    protected override Tensor OfPairs(Tensor z_M, PairTargets pairs)
    {
        var loss_M = nn.functional.logsigmoid(z_M).neg();
        if (pairs.Ties is { } ties_M)
            return loss_M.add(ties_M.mul(0.5 - labelSmoothing).add(labelSmoothing).mul(z_M));
        return labelSmoothing == 0 ? loss_M : loss_M.add(z_M.mul(labelSmoothing));
    }
}

/// <summary>-sigmoid(z): a bounded loss, whose gradient fades for pairs that are far on the wrong side, too.</summary>
internal sealed class SigmoidTerm : PairwiseTerm
{
    public const string TermName = "sigmoid";

    public override string Name => TermName;

    protected override double OfPair(double z, bool isTie) => -1 / (1 + Math.Exp(-z));

    protected override Tensor OfPairs(Tensor z_M, PairTargets pairs) => z_M.sigmoid().neg();
}

/// <summary>
/// max(0, -z) = max(0, m - (r_w - r_l)): RankSVM's loss (Joachims, KDD 2002), for preferences also in SLiC-HF (arXiv 2305.10425).
/// Pairs that are the margin apart have no gradient.
/// </summary>
internal sealed class HingeTerm : PairwiseTerm
{
    public const string TermName = "hinge";

    public override string Name => TermName;

    protected override double OfPair(double z, bool isTie) => Math.Max(0, -z);

    protected override Tensor OfPairs(Tensor z_M, PairTargets pairs) => nn.functional.relu(z_M.neg());
}
