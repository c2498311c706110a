using System.Text.Json.Serialization;
using RewardModel.Ranking;

namespace RewardModel.Training.Metrics;

/// <summary>How well rewards rank the answers of ranked lists.</summary>
/// <remarks>
/// A pair is two answers of one list with different scores that are not equal token for token; w is the better one, l the other, and r
/// their rewards. Figures over pairs or over lists with pairs are NaN where there is no pair, figures over rewards where there is no
/// answer.
/// </remarks>
public sealed record RankingMetrics
{
    /// <summary>All lists, those without pairs included.</summary>
    public required int ListCount { get; init; }

    /// <summary>Lists with one answer or with all answers tied or equal: they count in the figures over rewards only.</summary>
    public required int ListsWithoutPairsCount { get; init; }

    /// <summary>Answers of all lists.</summary>
    public required long AnswerCount { get; init; }

    /// <summary>Pairs of all lists.</summary>
    public required long PairCount { get; init; }

    /// <summary>
    /// The loss as it is trained on: mostly its mean over the pairs of a list, then over the lists with pairs (arXiv 2203.02155, eq. 1).
    /// </summary>
    public required double Loss { get; init; }

    /// <summary>The fraction of all pairs with r_w above r_l; equal rewards count one half.</summary>
    public required double Accuracy { get; init; }

    /// <summary>Different prompts of the lists with pairs: what is independent of each other.</summary>
    public required int PromptCount { get; init; }

    /// <summary>
    /// The lower end of the 95 % interval of <see cref="Accuracy"/>: see <see cref="AccuracyInterval"/>. Pairs of one prompt depend on each
    /// other, so it counts prompts.
    /// </summary>
    public required double AccuracyLow { get; init; }

    /// <summary>The upper end of that interval.</summary>
    public required double AccuracyHigh { get; init; }

    /// <summary>The mean of r_w - r_l over all pairs.</summary>
    public required double Margin { get; init; }

    /// <summary>
    /// Kendall's tau-b between scores and rewards (Kendall, "The treatment of ties in ranking problems", Biometrika 1945), averaged
    /// over the lists with pairs: 1 is the same order, -1 the opposite one. A list whose rewards are all equal counts 0.
    /// </summary>
    public required double KendallTau { get; init; }

    /// <summary>
    /// The fraction of lists with pairs whose highest reward belongs to a best scored answer; where several answers share the highest
    /// reward, the fraction of these that are best scored.
    /// </summary>
    public required double TopAnswerAccuracy { get; init; }

    /// <summary>
    /// Where scores are labels from 0 to 1 (<see cref="PointwiseLoss.Logistic"/>), the fraction of answers, or of steps, of which the reward says
    /// what the label does: it is above 0 where that is above one half, below 0 where that is below. A reward of 0 counts one half; labels of one
    /// half do not count. Null of other losses, and where no label counts.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? LabelAccuracy { get; init; }

    /// <summary>
    /// Where a head has several outputs, how near each of them comes to the attribute of its name, of those that answers are rated by; else null.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<AttributeMetrics>? Attributes { get; init; }

    /// <summary>The mean reward over all answers.</summary>
    public required double RewardMean { get; init; }

    /// <summary>The standard deviation of the rewards over all answers (the population's: divided by their number).</summary>
    public required double RewardStandardDeviation { get; init; }

    /// <summary>The lowest reward.</summary>
    public required double RewardMin { get; init; }

    /// <summary>The highest reward.</summary>
    public required double RewardMax { get; init; }

    /// <summary>The metrics of lists that were scored.</summary>
    /// <param name="rewards">Per list, the finite rewards of its answers, as <c>RewardScorer.Score</c> gives them.</param>
    /// <param name="scores">Per list, the scores of its answers: finite, higher is better, equal ones are ties.</param>
    /// <param name="loss">The loss of each list; null: log-sigmoid.</param>
    /// <exception cref="ArgumentException">
    /// The numbers of lists, or of a list's rewards and scores, differ, or a reward is not finite.
    /// </exception>
    public static RankingMetrics Of(
        IReadOnlyList<IReadOnlyList<float>> rewards, IReadOnlyList<IReadOnlyList<double>> scores, RankingLoss? loss = null)
    {
        ArgumentNullException.ThrowIfNull(rewards);
        ArgumentNullException.ThrowIfNull(scores);
        if (rewards.Count != scores.Count)
            throw new ArgumentException(
                $"There are rewards of {rewards.Count} lists and scores of {scores.Count}; expected as many of both.", nameof(scores));
        var metrics = new RankingMetricsAccumulator(loss ?? RankingLoss.ByName("log-sigmoid"));
        for (var l = 0; l < rewards.Count; l++)
            metrics.Add(rewards[l], new RankingList(scores[l]));
        return metrics.Result;
    }
}
