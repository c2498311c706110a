using RewardModel.Ranking;

namespace RewardModel.Training.Metrics;

/// <summary>Adds up <see cref="RankingMetrics"/> list by list, in float64.</summary>
/// <param name="loss">Gives the loss of each pair.</param>
internal sealed class RankingMetricsAccumulator(RankingLoss loss)
{
    private int listCount;
    private int listsWithPairsCount;
    private long answerCount;
    private long pairCount;
    private double lossSum;
    private double correctSum;
    private double marginSum;
    private double tauSum;
    private double topAnswerSum;
    private double rewardMean;
    private double rewardSquaredDeviations;
    private double rewardMin = double.PositiveInfinity;
    private double rewardMax = double.NegativeInfinity;

    /// <summary>The metrics of the lists added so far.</summary>
    public RankingMetrics Result => new()
    {
        ListCount = listCount,
        ListsWithoutPairsCount = listCount - listsWithPairsCount,
        AnswerCount = answerCount,
        PairCount = pairCount,
        Loss = lossSum / listsWithPairsCount,
        Accuracy = correctSum / pairCount,
        Margin = marginSum / pairCount,
        KendallTau = tauSum / listsWithPairsCount,
        TopAnswerAccuracy = topAnswerSum / listsWithPairsCount,
        RewardMean = answerCount > 0 ? rewardMean : double.NaN,
        RewardStandardDeviation = Math.Sqrt(rewardSquaredDeviations / answerCount),
        RewardMin = answerCount > 0 ? rewardMin : double.NaN,
        RewardMax = answerCount > 0 ? rewardMax : double.NaN,
    };

    /// <summary>Adds one list.</summary>
    /// <param name="rewards">K rewards, finite.</param>
    /// <param name="scores">K scores, finite, higher is better; equal scores are ties and make no pair.</param>
    /// <exception cref="ArgumentException">
    /// The numbers of rewards and scores differ, or a reward is not finite; nothing is added.
    /// </exception>
    public void Add(IReadOnlyList<float> rewards, IReadOnlyList<double> scores)
    {
        if (rewards.Count != scores.Count)
            throw new ArgumentException($"A list has {rewards.Count} rewards and {scores.Count} scores, expected as many of both.");
        for (var i = 0; i < rewards.Count; i++)
            if (!float.IsFinite(rewards[i]))
                throw new ArgumentException(
                    $"Reward {i} of the list is {rewards[i]}, expected a finite number: "
                    + "the model has diverged or its weights are damaged.");

        listCount++;
        foreach (var reward in rewards)
            AddReward(reward);
        AddPairs(rewards, scores);
    }

    /// <summary>Welford's update: the deviations stay exact when the rewards are large and close together.</summary>
    private void AddReward(double reward)
    {
        answerCount++;
        var deviation = reward - rewardMean;
        rewardMean += deviation / answerCount;
        rewardSquaredDeviations += deviation * (reward - rewardMean);
        rewardMin = Math.Min(rewardMin, reward);
        rewardMax = Math.Max(rewardMax, reward);
    }

    private void AddPairs(IReadOnlyList<float> rewards, IReadOnlyList<double> scores)
    {
        // Of the answers' pairs: those with different scores, with different rewards, and the signed sum over those with both.
        long scorePairs = 0, rewardPairs = 0, concordance = 0;
        double listLoss = 0, listMargin = 0;
        for (var i = 0; i < rewards.Count; i++)
            for (var j = 0; j < i; j++)
            {
                var agreement = Math.Sign(scores[i].CompareTo(scores[j])) * Math.Sign(rewards[i].CompareTo(rewards[j]));
                concordance += agreement;
                if (rewards[i] != rewards[j])
                    rewardPairs++;
                if (scores[i] == scores[j])
                    continue;
                scorePairs++;
                var difference = (double)rewards[i] - rewards[j];
                var margin = scores[i] > scores[j] ? difference : -difference;
                listMargin += margin;
                listLoss += loss.OfDifference(margin);
            }
        if (scorePairs == 0)
            return;

        listsWithPairsCount++;
        pairCount += scorePairs;
        lossSum += listLoss / scorePairs;
        marginSum += listMargin;
        // Right pairs count 1, wrong ones 0 and equal rewards one half, which is (agreement + 1) / 2 for each.
        correctSum += (concordance + scorePairs) / 2.0;
        // tau-b = (concordant - discordant) / sqrt((n0 - ties in scores) (n0 - ties in rewards)).
        if (rewardPairs > 0)
            tauSum += concordance / Math.Sqrt((double)scorePairs * rewardPairs);
        topAnswerSum += TopAnswerShare(rewards, scores);
    }

    private static double TopAnswerShare(IReadOnlyList<float> rewards, IReadOnlyList<double> scores)
    {
        var bestScore = scores.Max();
        var highestReward = rewards.Max();
        int highestCount = 0, bestAmongThem = 0;
        for (var i = 0; i < rewards.Count; i++)
            if (rewards[i] == highestReward)
            {
                highestCount++;
                if (scores[i] == bestScore)
                    bestAmongThem++;
            }
        return (double)bestAmongThem / highestCount;
    }
}
