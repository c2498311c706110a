using static TorchSharp.torch;

namespace RewardModel.Ranking;

/// <summary>
/// A coefficient times the mean over pairs of (r_w + r_l)^2, which keeps rewards around 0, as a ranking loss does not care (Eisenstein et al.,
/// arXiv 2312.09244, eq. 2).
/// </summary>
internal sealed class CenteringTerm(double coefficient) : LossTerm
{
    public override string Name => "centering";

    public override Tensor Sum(Tensor rewards, RankingTargets targets)
    {
        var (pairs, r_N) = (targets.AnswerPairs, targets.OfAnswers(rewards));
        var sums_M = r_N.index_select(0, pairs.Better).add(r_N.index_select(0, pairs.Worse));
        return sums_M.square().mul(pairs.Weights).sum().mul(coefficient);
    }

    public override double OfList(IReadOnlyList<float> rewards, RankingList list, IReadOnlyList<RankedPair> pairs)
    {
        double sum = 0;
        foreach (var pair in pairs)
            sum += Math.Pow((double)rewards[pair.Better] + rewards[pair.Worse], 2);
        return pairs.Count == 0 ? 0 : coefficient * sum / pairs.Count;
    }
}

/// <summary>A coefficient times the mean over answers of r^2 / 2, as Open-Assistant's trainer adds it.</summary>
internal sealed class RewardL2Term(double coefficient) : LossTerm
{
    public override string Name => "reward-l2";

    public override Tensor Sum(Tensor rewards, RankingTargets targets) =>
        targets.OfAnswers(rewards).square().mul(targets.Answers.Weights).sum().mul(coefficient / 2);

    public override double OfList(IReadOnlyList<float> rewards, RankingList list, IReadOnlyList<RankedPair> pairs) =>
        coefficient / 2 * rewards.Average(reward => (double)reward * reward);
}
