using static TorchSharp.torch;

namespace RewardModel.Ranking;

/// <summary>
/// A loss of choices: the negative log-probability that of an answer and those that are worse than it the answer is chosen, by the softmax
/// of their rewards. With one worse answer it is Bradley and Terry's. Ties and equal answers are in none of each other's choices, which is
/// <see cref="TieHandling.Exclude"/> for lists.
/// </summary>
internal abstract class ListwiseTerm : LossTerm
{
    /// <inheritdoc/>
    public sealed override Tensor Sum(Tensor rewards, RankingTargets targets)
    {
        var choices = targets.ChoicesOf(this);
        var (count, width) = (choices.Rows.size(0), choices.Rows.size(1));
        var r_SK = targets.OfAnswers(rewards).index_select(0, choices.Rows.view(-1)).view(count, width);
        // Less the reward of the one to choose, so that what is summed up is small where it is far above the others.
        var above_SK = r_SK.sub(r_SK.narrow(1, 0, 1)).masked_fill(choices.Padding, double.NegativeInfinity);
        return above_SK.logsumexp(1).mul(choices.Weights).sum();
    }

    /// <inheritdoc/>
    public sealed override double OfList(IReadOnlyList<float> rewards, RankingList list, IReadOnlyList<RankedPair> pairs)
    {
        double sum = 0;
        var choices = ChoicesOf(list, pairs);
        foreach (var choice in choices)
            sum += NegativeLogProbability(rewards, choice);
        return choices.Count == 0 ? 0 : sum / choices.Count;
    }

    /// <summary>Of each choice the answers' indices, the one to choose first.</summary>
    public abstract IReadOnlyList<int[]> ChoicesOf(RankingList list, IReadOnlyList<RankedPair> pairs);

    /// <summary>For each answer that is better than others: itself and those.</summary>
    protected static IReadOnlyList<int[]> AllChoices(IEnumerable<RankedPair> pairs) =>
        [.. pairs.GroupBy(pair => pair.Better).Select(group => (int[])[group.Key, .. group.Select(pair => pair.Worse)])];

    private static double NegativeLogProbability(IReadOnlyList<float> rewards, int[] choice)
    {
        double highest = choice.Max(answer => rewards[answer]);
        return highest - rewards[choice[0]] + Math.Log(choice.Sum(answer => Math.Exp(rewards[answer] - highest)));
    }
}

/// <summary>
/// Plackett and Luce's model of rankings (ListMLE, Xia et al., ICML 2008): the best answer is chosen of all, the next one of the rest, and so
/// on; the mean over these choices. A tie is broken in no order: each of the tied answers is chosen of itself and what is worse than all of
/// them.
/// </summary>
internal sealed class PlackettLuceTerm : ListwiseTerm
{
    public const string TermName = "plackett-luce";

    public override string Name => TermName;

    public override IReadOnlyList<int[]> ChoicesOf(RankingList list, IReadOnlyList<RankedPair> pairs) => AllChoices(pairs);
}

/// <summary>
/// The best answer's softmax cross-entropy against all that are worse, the form of InfoNCE (van den Oord et al., arXiv 1807.03748, eq. 4):
/// what best-of-n sampling asks for, and nothing of the order below. Several best answers have equal shares of it.
/// </summary>
internal sealed class TopChoiceTerm : ListwiseTerm
{
    public const string TermName = "top-choice";

    public override string Name => TermName;

    public override IReadOnlyList<int[]> ChoicesOf(RankingList list, IReadOnlyList<RankedPair> pairs)
    {
        var best = list.Scores.Max();
        return AllChoices(pairs.Where(pair => list.Scores[pair.Better] == best));
    }
}
