using System.Globalization;
using RewardModel.Training;
using RewardModel.Training.Metrics;
using RewardModel.Training.Reporting;

namespace RewardModel.Cli;

/// <summary>A line about an evaluation, the same wherever one is told.</summary>
internal static class MetricsText
{
    /// <summary>Which weights an evaluation is of.</summary>
    public static string WeightsOf(EvaluationReport evaluation) => evaluation.AverageOf is { } steps
        ? $"average of the weights of steps {string.Join(", ", steps)}"
        : $"weights of step {evaluation.Step}";

    /// <summary>Means and deviations over seeds.</summary>
    public static string Of(IReadOnlyDictionary<string, SeedStatistics> metrics) => string.Join("  ", metrics.Select(metric => string.Create(
        CultureInfo.InvariantCulture,
        $"{metric.Key.Replace('_', ' ')} {metric.Value.Mean:F4} ± {metric.Value.StandardDeviation:F4}")));

    /// <summary>How many labels rewards agree with, where there are labels.</summary>
    public static string LabelAccuracyOf(RankingMetrics metrics) =>
        metrics.LabelAccuracy is { } accuracy ? string.Create(CultureInfo.InvariantCulture, $"label accuracy {accuracy:F4}  ") : "";

    /// <summary>How far outputs are from attributes, where answers are rated by them.</summary>
    public static string AttributeErrorOf(RankingMetrics metrics) => metrics.Attributes is { } attributes
        ? string.Create(CultureInfo.InvariantCulture, $"squared error of attributes {attributes.Average(attribute => attribute.MeanSquaredError):F4}  ") : "";

    /// <summary>What is told of pairs, where there are any.</summary>
    public static string OfPairs(RankingMetrics metrics, FormattableString text) =>
        metrics.PairCount > 0 ? text.ToString(CultureInfo.InvariantCulture) : "";

    /// <summary>All of them; without pairs, what is left.</summary>
    public static string Of(RankingMetrics metrics) =>
        (double.IsNaN(metrics.Loss) ? "" : string.Create(CultureInfo.InvariantCulture, $"loss {metrics.Loss:F4}  "))
        + OfPairs(metrics, $"accuracy {metrics.Accuracy:F4} (95 % interval {metrics.AccuracyLow:F3} to {metrics.AccuracyHigh:F3})  ")
        + LabelAccuracyOf(metrics) + AttributeErrorOf(metrics)
        + OfPairs(metrics, $"Kendall tau {metrics.KendallTau:F4}  top-1 {metrics.TopAnswerAccuracy:F4}  margin {metrics.Margin:F3}  ")
        + string.Create(CultureInfo.InvariantCulture, $"rewards {metrics.RewardMean:F3}, standard deviation {metrics.RewardStandardDeviation:F3}");
}
