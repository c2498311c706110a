using RewardModel.Ranking;
using RewardModel.Training.Metrics;

namespace RewardModel.Training.Evaluation;

/// <summary>Makes an evaluation of scored lists: everything but what needs the model or the texts.</summary>
internal static class Evaluations
{
    /// <summary>The evaluation without references, consistency and pairs to show.</summary>
    /// <param name="lists">The lists, in the order of the data.</param>
    /// <param name="loss">Gives the loss of each list.</param>
    /// <param name="models">Lazy models: what each is called, and of each list its scores; null where they are not known.</param>
    /// <param name="seed">Decides what is drawn: by the bootstrap, and of the points to draw.</param>
    /// <param name="outputs">The names of the outputs of a head with several; else null.</param>
    /// <exception cref="ArgumentException">A list has other numbers of rewards and scores, or a reward that is not finite.</exception>
    public static RewardEvaluation Of(
        IReadOnlyList<ScoredList> lists, RankingLoss loss, IReadOnlyList<(string Name, IReadOnlyList<float[]?> Scores)> models, ulong seed = 0,
        IReadOnlyList<string>? outputs = null)
    {
        var scored = new ScoredLists(lists);
        var metrics = MetricsOf(scored, loss, seed, outputs);
        return new RewardEvaluation
        {
            Metrics = metrics,
            Baselines = BaselineComparisons.Of(scored, metrics, models, seed),
            Tables = AccuracyTables.Of(scored),
            Length = LengthBias.Of(scored, seed),
            Ndcg = DiscountedGain.Of(lists),
            BestOfN = BestOfNCurve.Of(lists),
            Calibration = Calibration.Of(scored),
            Ties = TieAccuracy.Of(scored),
            HumanAgreement = HumanAgreement.Of(scored),
            Rewards = RewardDistribution.Of(scored),
            Benchmark = BenchmarkScores.Of(lists),
        };
    }

    /// <summary>The metrics, with the ends of the accuracy's interval by the bootstrap.</summary>
    /// <exception cref="ArgumentException">A list has other numbers of rewards and scores, or a reward that is not finite.</exception>
    public static RankingMetrics MetricsOf(ScoredLists lists, RankingLoss loss, ulong seed = 0, IReadOnlyList<string>? outputs = null)
    {
        var accumulator = new RankingMetricsAccumulator(loss, outputs);
        foreach (var list in lists.All)
            accumulator.Add(list.Rewards, list.Ranking, list.Prompt, list.Outputs);
        var (low, high) = Bootstrap.Interval(RightByPrompt(lists), seed);
        return accumulator.Result with { AccuracyLow = low, AccuracyHigh = high };
    }

    private static List<(double Right, long Pairs)> RightByPrompt(ScoredLists lists)
    {
        var prompts = new List<(double Right, long Pairs)>(lists.MostUnits);
        var unit = -1;
        foreach (var pair in lists.Pairs())
        {
            if (pair.Unit != unit)
                prompts.Add((0, 0));
            unit = pair.Unit;
            prompts[^1] = (prompts[^1].Right + ScoredPair.RightOf(pair.Difference), prompts[^1].Pairs + 1);
        }
        return prompts;
    }
}
