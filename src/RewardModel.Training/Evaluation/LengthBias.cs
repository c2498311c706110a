using RewardModel.Training.Data;

namespace RewardModel.Training.Evaluation;

/// <summary>How much of the reward is length. Lengths are answers' tokens; pairs of equal lengths are left out of shares.</summary>
/// <param name="LongerIsBetter">The share of pairs whose better answer is the longer one: the bias of the data.</param>
/// <param name="LongerIsPreferred">The share of pairs in which the model prefers the longer answer; equal rewards count one half.</param>
/// <param name="BetterIsLonger">The accuracy where the better answer is longer; null where there is no such pair.</param>
/// <param name="BetterIsShorter">The accuracy where it is shorter; null where there is no such pair.</param>
/// <param name="Correlation">
/// Pearson's correlation of reward and length, both less their list's means; NaN where one of them doesn't vary.
/// </param>
/// <param name="PartialCorrelation">
/// The same with the score held fixed: what of the reward goes with length and is not in the data's own ranking. NaN likewise, and where
/// the score decides one of them.
/// </param>
/// <param name="Points">A sample of answers, at most 2,000, to draw.</param>
public sealed record LengthBias(
    double LongerIsBetter, double LongerIsPreferred, AccuracyRow? BetterIsLonger, AccuracyRow? BetterIsShorter,
    double Correlation, double PartialCorrelation, IReadOnlyList<LengthPoint> Points)
{
    private const int mostPoints = 2000;

    /// <summary>The bias of scored lists; null without a pair of answers of different lengths.</summary>
    /// <param name="lists">The lists.</param>
    /// <param name="seed">Decides which answers are drawn.</param>
    internal static LengthBias? Of(ScoredLists lists, ulong seed)
    {
        AccuracyCounter longer = new(), shorter = new();
        foreach (var pair in lists.Pairs())
        {
            var difference = pair.Of.TokenCounts[pair.Better].CompareTo(pair.Of.TokenCounts[pair.Worse]);
            if (difference > 0)
                longer.Add(pair);
            else if (difference < 0)
                shorter.Add(pair);
        }
        double longerCount = longer.PairCount, shorterCount = shorter.PairCount;
        var pairCount = longerCount + shorterCount;
        if (pairCount == 0)
            return null;
        // A wrong pair whose better answer is shorter is one in which the longer answer is preferred.
        var preferred = longer.Right + shorterCount - shorter.Right;
        var (correlation, partial) = Correlations(lists.All);
        return new LengthBias(
            longerCount / pairCount, preferred / pairCount, longer.ToRow("better answer is longer"), shorter.ToRow("better answer is shorter"),
            correlation, partial, PointsOf(lists.All, seed));
    }

    /// <summary>
    /// Within lists, each answer counting once. Scores that say an order only are compared as ranks, and where a list has such scores, all
    /// are.
    /// </summary>
    private static (double Correlation, double Partial) Correlations(IReadOnlyList<ScoredList> lists)
    {
        var areRanks = lists.Any(list => list.ScoresAreOrder);
        double rewardReward = 0, lengthLength = 0, scoreScore = 0, rewardLength = 0, rewardScore = 0, lengthScore = 0;
        foreach (var list in lists.Where(list => list.Rewards.Count > 1))
        {
            var scores = areRanks ? ScoredList.RankSharesOf(list.Ranking.Scores) : list.Ranking.Scores;
            var meanReward = list.Rewards.Average(reward => (double)reward);
            var (meanLength, meanScore) = (list.TokenCounts.Average(), scores.Average());
            for (var i = 0; i < scores.Count; i++)
            {
                double reward = list.Rewards[i] - meanReward, length = list.TokenCounts[i] - meanLength, score = scores[i] - meanScore;
                rewardReward += reward * reward;
                lengthLength += length * length;
                scoreScore += score * score;
                rewardLength += reward * length;
                rewardScore += reward * score;
                lengthScore += length * score;
            }
        }
        var correlation = rewardLength / Math.Sqrt(rewardReward * lengthLength);
        var rewardWithScore = rewardScore / Math.Sqrt(rewardReward * scoreScore);
        var lengthWithScore = lengthScore / Math.Sqrt(lengthLength * scoreScore);
        // What the score doesn't say of rewards and of lengths (Yule, Proceedings of the Royal Society A 79, 1907); rounding is nothing.
        double restOfReward = 1 - rewardWithScore * rewardWithScore, restOfLength = 1 - lengthWithScore * lengthWithScore;
        var partial = restOfReward > 1e-12 && restOfLength > 1e-12
            ? (correlation - rewardWithScore * lengthWithScore) / Math.Sqrt(restOfReward * restOfLength)
            : double.NaN;
        return (correlation, partial);
    }

    private static LengthPoint[] PointsOf(IReadOnlyList<ScoredList> lists, ulong seed)
    {
        // Selection sampling (Knuth, The Art of Computer Programming 2, section 3.4.2, algorithm S): each answer as likely as another.
        var random = new SplitMix64(seed);
        var leftCount = lists.Sum(list => list.Rewards.Count);
        var points = new LengthPoint[Math.Min(mostPoints, leftCount)];
        var count = 0;
        foreach (var list in lists)
            for (var i = 0; i < list.Rewards.Count; i++, leftCount--)
                if (count < points.Length && random.NextBelow(leftCount) < points.Length - count)
                    points[count++] = new LengthPoint(list.TokenCounts[i], list.Rewards[i]);
        return points;
    }
}

/// <summary>An answer's length in tokens and its reward.</summary>
/// <param name="TokenCount">The length.</param>
/// <param name="Reward">The reward.</param>
public readonly record struct LengthPoint(int TokenCount, float Reward);
