using RewardModel.Training.Metrics;

namespace RewardModel.Training;

/// <summary>A metric over trainings that differ in their seed.</summary>
/// <param name="Mean">The mean over the seeds.</param>
/// <param name="StandardDeviation">
/// The standard deviation over the seeds, as an estimate for all seeds (divided by their number less 1).
/// </param>
public readonly record struct SeedStatistics(double Mean, double StandardDeviation);

/// <summary>The result of trainings with several seeds.</summary>
/// <param name="Seeds">The seeds.</param>
/// <param name="Directories">For each the directory of its run and its model.</param>
/// <param name="Results">For each the result of its training.</param>
public sealed record EnsembleResult(
    IReadOnlyList<long> Seeds, IReadOnlyList<string> Directories, IReadOnlyList<TrainingResult> Results)
{
    /// <summary>
    /// Metrics of the best evaluations, under the names that <c>evaluate --json</c> has for them: loss, accuracy, margin, kendall_tau,
    /// top_answer_accuracy. Empty without held-out lists.
    /// </summary>
    public IReadOnlyDictionary<string, SeedStatistics> Metrics
    {
        get
        {
            RankingMetrics[] all = [.. Results.Select(result => result.BestEvaluation?.Metrics).OfType<RankingMetrics>()];
            return all.Length == 0
                ? new Dictionary<string, SeedStatistics>()
                : new Dictionary<string, SeedStatistics>
                {
                    ["loss"] = Of(all.Select(metrics => metrics.Loss)),
                    ["accuracy"] = Of(all.Select(metrics => metrics.Accuracy)),
                    ["margin"] = Of(all.Select(metrics => metrics.Margin)),
                    ["kendall_tau"] = Of(all.Select(metrics => metrics.KendallTau)),
                    ["top_answer_accuracy"] = Of(all.Select(metrics => metrics.TopAnswerAccuracy)),
                };
        }
    }

    private static SeedStatistics Of(IEnumerable<double> values)
    {
        double[] all = [.. values];
        var mean = all.Average();
        return new SeedStatistics(mean, Math.Sqrt(all.Sum(value => (value - mean) * (value - mean)) / (all.Length - 1)));
    }
}
