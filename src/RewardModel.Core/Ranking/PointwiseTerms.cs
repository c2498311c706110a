using static TorchSharp.torch;

namespace RewardModel.Ranking;

/// <summary>A weight times (r - s)^2 of each answer, the squared error of its reward to its score as it is given.</summary>
internal sealed class RegressionTerm(double weight) : LossTerm
{
    public override string Name => "regression";

    public override Tensor Sum(Tensor rewards, RankingTargets targets)
    {
        var answers = targets.Answers;
        return targets.OfAnswers(rewards).sub(answers.Scores).square().mul(answers.Weights).sum().mul(weight);
    }

    public override double OfList(IReadOnlyList<float> rewards, RankingList list, IReadOnlyList<RankedPair> pairs) =>
        weight * rewards.Zip(list.Scores, (reward, score) => (reward - score) * (reward - score)).Average();
}

/// <summary>
/// A weight times the ordinal cross-entropy of each answer. Of the L levels of the scores an answer at level y is above thresholds
/// 1, ..., y and below the others; P(above threshold j) = sigmoid(r - t_j) are cumulative logits (McCullagh, "Regression models for ordinal
/// data", 1980), and the loss is the mean over the L - 1 thresholds of the binary cross-entropies, as CORAL sums them (arXiv 1901.07884).
/// The thresholds are not learnt: t_j = j - L / 2, 1 apart and with mean 0, so that the reward is the only number and is 0 in the
/// middle of the levels. A level is the score or the nearest of the levels below it.
/// </summary>
internal sealed class LevelsTerm(double weight, IReadOnlyList<double> levels) : LossTerm
{
    public override string Name => "levels";

    public override Tensor Sum(Tensor rewards, RankingTargets targets)
    {
        var (answers, below_NL) = targets.BelowThresholds(levels);
        using var thresholds_L = targets.Constant([.. Enumerable.Range(1, levels.Count - 1).Select(j => (float)Threshold(j))]);
        var z_NL = targets.OfAnswers(rewards).unsqueeze(1).sub(thresholds_L);
        // -t log sigmoid(z) - (1 - t) log sigmoid(-z) = -log sigmoid(z) + (1 - t) z
        var loss_NL = below_NL.mul(z_NL).sub(nn.functional.logsigmoid(z_NL));
        return loss_NL.mean([1]).mul(answers.Weights).sum().mul(weight);
    }

    public override double OfList(IReadOnlyList<float> rewards, RankingList list, IReadOnlyList<RankedPair> pairs) =>
        weight * rewards.Zip(list.Scores, OfAnswer).Average();

    private double OfAnswer(float reward, double score)
    {
        double sum = 0;
        for (var j = 1; j < levels.Count; j++)
        {
            var z = reward - Threshold(j);
            sum += score >= levels[j] ? Softplus(-z) : Softplus(z);
        }
        return sum / (levels.Count - 1);
    }

    private double Threshold(int j) => j - levels.Count / 2.0;
}

/// <summary>
/// A weight times the binary cross-entropy of each answer, -s log sigmoid(r) - (1 - s) log sigmoid(-r), where the score s, from 0 to 1, is
/// whether the answer, or the step of a solution, is right (Lightman et al., arXiv 2305.20050; Wang et al., arXiv 2312.08935, eq. 2).
/// </summary>
internal sealed class LogisticTerm(double weight) : LossTerm
{
    public override string Name => "logistic";

    public override Tensor Sum(Tensor rewards, RankingTargets targets)
    {
        var (answers, r_N) = (targets.Answers, targets.OfAnswers(rewards));
        // -s log sigmoid(r) - (1 - s) log sigmoid(-r) = (1 - s) r - log sigmoid(r)
        return r_N.sub(r_N.mul(answers.Scores)).sub(nn.functional.logsigmoid(r_N)).mul(answers.Weights).sum().mul(weight);
    }

    public override double OfList(IReadOnlyList<float> rewards, RankingList list, IReadOnlyList<RankedPair> pairs) =>
        weight * rewards.Zip(list.Scores, (reward, score) => score * Softplus(-reward) + (1 - score) * Softplus(reward)).Average();
}
