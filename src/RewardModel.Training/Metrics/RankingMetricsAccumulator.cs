using System.IO.Hashing;
using System.Runtime.InteropServices;
using RewardModel.Ranking;

namespace RewardModel.Training.Metrics;

/// <summary>Adds up <see cref="RankingMetrics"/> list by list, in float64.</summary>
/// <param name="loss">Gives the loss of each list.</param>
/// <param name="outputs">The names of the outputs of a head with several; null where none are added.</param>
internal sealed class RankingMetricsAccumulator(RankingLoss loss, IReadOnlyList<string>? outputs = null)
{
    private readonly AttributeAccumulator[] attributes = [.. (outputs ?? []).Select(_ => new AttributeAccumulator())];
    private readonly Dictionary<UInt128, (double Right, long Pairs)> prompts = [];
    private readonly List<(double Right, long Pairs)> listsWithPairs = [];
    private int listCount;
    private int listsWithPairsCount;
    private long answerCount;
    private long pairCount;
    private double lossSum;
    private double lossDivisor;
    private double correctSum;
    private double marginSum;
    private double tauSum;
    private double topAnswerSum;
    private long labelCount;
    private double rightLabelSum;
    private double rewardMean;
    private double rewardSquaredDeviations;
    private double rewardMin = double.PositiveInfinity;
    private double rewardMax = double.NegativeInfinity;

    /// <summary>The metrics of the lists added so far.</summary>
    public RankingMetrics Result
    {
        get
        {
            var (low, high) = AccuracyInterval.Of(Independent);
            return new()
            {
                ListCount = listCount,
                ListsWithoutPairsCount = listCount - listsWithPairsCount,
                AnswerCount = answerCount,
                PairCount = pairCount,
                Loss = lossSum / lossDivisor,
                Accuracy = correctSum / pairCount,
                PromptCount = Independent.Count,
                AccuracyLow = low,
                AccuracyHigh = high,
                Margin = marginSum / pairCount,
                KendallTau = tauSum / listsWithPairsCount,
                TopAnswerAccuracy = topAnswerSum / listsWithPairsCount,
                LabelAccuracy = labelCount > 0 ? rightLabelSum / labelCount : null,
                Attributes = Attributes is { Length: > 0 } found ? found : null,
                RewardMean = answerCount > 0 ? rewardMean : double.NaN,
                RewardStandardDeviation = Math.Sqrt(rewardSquaredDeviations / answerCount),
                RewardMin = answerCount > 0 ? rewardMin : double.NaN,
                RewardMax = answerCount > 0 ? rewardMax : double.NaN,
            };
        }
    }

    private AttributeMetrics[] Attributes =>
        [.. attributes.Zip(outputs ?? [], (attribute, name) => attribute.Result(name)).Where(attribute => attribute.Count > 0)];

    /// <summary>Lists with one prompt belong together; where all have the same, an instruction that never changes, it says nothing.</summary>
    private IReadOnlyCollection<(double Right, long Pairs)> Independent => prompts.Count > 1 ? prompts.Values : listsWithPairs;

    /// <summary>Adds one list.</summary>
    /// <param name="rewards">K rewards, finite.</param>
    /// <param name="list">
    /// K scores, finite, higher is better; equal scores are ties and make no pair, and nor do equal answers, whatever their scores are.
    /// </param>
    /// <param name="promptIds">Token ids of its prompt: lists with the same prompt depend on each other.</param>
    /// <param name="outputsOfAnswers">Of each answer what the outputs give, finite; null where there is one output.</param>
    /// <exception cref="ArgumentException">
    /// The numbers of rewards and scores differ, or a reward is not finite; nothing is added.
    /// </exception>
    public void Add(
        IReadOnlyList<float> rewards, RankingList list, int[]? promptIds = null, IReadOnlyList<IReadOnlyList<float>>? outputsOfAnswers = null) =>
        // Not the ids themselves: there may be many long prompts.
        Add(rewards, list, promptIds is null ? (UInt128)listCount : XxHash128.HashToUInt128(MemoryMarshal.AsBytes<int>(promptIds)), outputsOfAnswers);

    /// <inheritdoc cref="Add(IReadOnlyList{float}, RankingList, int[], IReadOnlyList{IReadOnlyList{float}})"/>
    /// <param name="rewards">K rewards, finite.</param>
    /// <param name="list">K scores.</param>
    /// <param name="prompt">What its prompt is told apart by.</param>
    /// <param name="outputsOfAnswers">What the outputs give.</param>
    public void Add(
        IReadOnlyList<float> rewards, RankingList list, UInt128 prompt, IReadOnlyList<IReadOnlyList<float>>? outputsOfAnswers = null)
    {
        if (rewards.Count != list.Scores.Count)
            throw new ArgumentException($"A list has {rewards.Count} rewards and {list.Scores.Count} scores; expected as many of both.");
        CheckFinite(rewards);

        listCount++;
        foreach (var reward in rewards)
            AddReward(reward);
        if (loss.HasLabels)
            AddLabels(rewards, list.Scores);
        if (outputsOfAnswers is not null)
            AddAttributes(outputsOfAnswers, list);
        lossSum += loss.OfList(rewards, list, outputsOfAnswers);
        lossDivisor += loss.DivisorOf(list);
        AddPairs(rewards, list, prompt);
    }

    /// <exception cref="ArgumentException">A reward is not finite.</exception>
    internal static void CheckFinite(IReadOnlyList<float> rewards)
    {
        for (var i = 0; i < rewards.Count; i++)
            if (!float.IsFinite(rewards[i]))
                throw new ArgumentException(
                    $"Reward {i} of the list is {rewards[i]}; expected a finite number: "
                    + "the model has diverged or its weights are damaged.");
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

    private void AddLabels(IReadOnlyList<float> rewards, IReadOnlyList<double> labels)
    {
        foreach (var (reward, label) in rewards.Zip(labels))
        {
            if (label == 0.5)
                continue;
            labelCount++;
            rightLabelSum += reward == 0 ? 0.5 : reward > 0 == label > 0.5 ? 1 : 0;
        }
    }

    private void AddAttributes(IReadOnlyList<IReadOnlyList<float>> outputsOfAnswers, RankingList list)
    {
        for (var answer = 0; answer < outputsOfAnswers.Count; answer++)
            foreach (var (o, rating) in (outputs ?? []).Select(list.AttributeOf(answer)).Index())
                if (rating is { } value)
                    attributes[o].Add(outputsOfAnswers[answer][o], value);
    }

    private void AddPairs(IReadOnlyList<float> rewards, RankingList list, UInt128 prompt)
    {
        var scores = list.Scores;
        // Of the answers' pairs: those with different scores, with different rewards, and the signed sum over those with both.
        long scorePairs = 0, rewardPairs = 0, concordance = 0;
        double listMargin = 0;
        for (var i = 0; i < rewards.Count; i++)
            for (var j = 0; j < i; j++)
            {
                if (rewards[i] != rewards[j])
                    rewardPairs++;
                if (!list.IsPair(i, j))
                    continue;
                concordance += Math.Sign(scores[i].CompareTo(scores[j])) * Math.Sign(rewards[i].CompareTo(rewards[j]));
                scorePairs++;
                var difference = (double)rewards[i] - rewards[j];
                listMargin += scores[i] > scores[j] ? difference : -difference;
            }
        if (scorePairs == 0)
            return;

        listsWithPairsCount++;
        pairCount += scorePairs;
        marginSum += listMargin;
        // Right pairs count 1, wrong ones 0 and equal rewards one half, which is (agreement + 1) / 2 for each.
        var right = (concordance + scorePairs) / 2.0;
        correctSum += right;
        listsWithPairs.Add((right, scorePairs));
        var (rightBefore, pairsBefore) = prompts.GetValueOrDefault(prompt);
        prompts[prompt] = (rightBefore + right, pairsBefore + scorePairs);
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
