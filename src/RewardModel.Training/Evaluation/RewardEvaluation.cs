using System.Text.Json;
using RewardModel.Training.Metrics;

namespace RewardModel.Training.Evaluation;

/// <summary>
/// How good a reward model is on ranked lists, and by what: docs/metrics.md explains every figure. Figures that the lists don't have are
/// null, NaN or empty.
/// </summary>
public sealed record RewardEvaluation
{
    /// <summary>
    /// The figures that training tells, of all lists. The ends of the accuracy's interval are here those of the bootstrap over prompts with
    /// 10,000 samples.
    /// </summary>
    public required RankingMetrics Metrics { get; init; }

    /// <summary>What the model is better than: chance, length, and linear models of words where they were trained.</summary>
    public required IReadOnlyList<BaselineComparison> Baselines { get; init; }

    /// <summary>The accuracy by what lists and pairs differ in; tables of one row are left out.</summary>
    public required IReadOnlyList<AccuracyTable> Tables { get; init; }

    /// <summary>How much of the reward is length; null without a pair of answers of different lengths.</summary>
    public required LengthBias? Length { get; init; }

    /// <summary>
    /// Normalised discounted cumulative gain (Järvelin and Kekäläinen, ACM TOIS 2002), averaged over the lists with pairs: the gain of an
    /// answer is how many different scores of its list are below its own, the discount of place p is log2(p + 1), and answers with equal
    /// rewards share their places (McSherry and Najork, ECIR 2008). NaN without pairs.
    /// </summary>
    public required double Ndcg { get; init; }

    /// <summary>What the choice of the model among n answers is worth; null without lists of two answers with different scores.</summary>
    public required BestOfNCurve? BestOfN { get; init; }

    /// <summary>Whether differences of rewards are probabilities; null without pairs.</summary>
    public required Calibration? Calibration { get; init; }

    /// <summary>What ties do to the accuracy; null where neither scores nor rewards have any.</summary>
    public required TieAccuracy? Ties { get; init; }

    /// <summary>How far people agree; null where no pair was judged twice.</summary>
    public required HumanAgreement? HumanAgreement { get; init; }

    /// <summary>How rewards are distributed; null without answers.</summary>
    public required RewardDistribution? Rewards { get; init; }

    /// <summary>The score of a published benchmark, where the lists are its rows; else null.</summary>
    public required BenchmarkScore? Benchmark { get; init; }

    /// <summary>Where the rewards of reference answers are; null where none were given.</summary>
    public ReferenceDrift? Reference { get; init; }

    /// <summary>What edits without a meaning do; empty where it was not measured.</summary>
    public IReadOnlyList<ConsistencyCheck> Consistency { get; init; } = [];

    /// <summary>The pairs with the lowest r_better - r_worse, at most twenty, the worst first.</summary>
    public IReadOnlyList<ShownPair> MostWrong { get; init; } = [];

    /// <summary>The pairs with the lowest |r_better - r_worse|, at most twenty.</summary>
    public IReadOnlyList<ShownPair> MostUncertain { get; init; } = [];

    /// <summary>The evaluation as JSON, its members in snake_case.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, EvaluationJson.Options);

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    /// <param name="json">The text.</param>
    /// <exception cref="JsonException">It is something else.</exception>
    public static RewardEvaluation FromJson(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        return JsonSerializer.Deserialize<RewardEvaluation>(json, EvaluationJson.Options) ?? throw new JsonException("The text is null; expected an evaluation.");
    }
}
