using System.Globalization;
using RewardModel.Training.Evaluation;
using RewardModel.Training.Records;

namespace RewardModel.Cli;

/// <summary>An evaluation as lines of text.</summary>
internal static class EvaluationText
{
    /// <summary>Rows of a table that are written.</summary>
    private const int mostRows = 12;

    /// <summary>What stands behind the line of the metrics.</summary>
    public static IEnumerable<string> LinesOf(RewardEvaluation evaluation)
    {
        foreach (var attribute in evaluation.Metrics.Attributes ?? [])
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"{NumberText.Name(attribute.Name),-22}mean squared error {attribute.MeanSquaredError:F4}, correlation {Score(attribute.Correlation)}, of {NumberText.Count(attribute.Count, "answer")}");
        foreach (var baseline in evaluation.Baselines)
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"{"against " + baseline.Name,-22}{NumberText.Difference(baseline.Difference)} (95 % interval {NumberText.Difference(baseline.DifferenceLow)} to "
                + $"{NumberText.Difference(baseline.DifferenceHigh)}); its accuracy is {baseline.Accuracy:F3} on {Pairs(baseline.PairCount)}");
        if (!double.IsNaN(evaluation.Ndcg))
            yield return string.Create(CultureInfo.InvariantCulture, $"{"NDCG",-22}{evaluation.Ndcg:F4}");
        if (evaluation.BestOfN is { } curve)
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"{"best of n",-22}{string.Join(", ", curve.Points.Select(point => string.Create(CultureInfo.InvariantCulture, $"{point.N}: {Score(point.Chosen)} of {Score(point.Best)}")))}"
                + $" ({(curve.IsOfRanks ? "shares of the other answers that the chosen one is better than" : "true scores")})");
        if (evaluation.Calibration is { } calibration)
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"{"calibration",-22}error {calibration.ExpectedCalibrationError:F3}, Brier {calibration.Brier:F3}, temperature {calibration.Temperature:F2}");
        if (evaluation.Length is { } length)
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"{"length",-22}longer preferred in {length.LongerIsPreferred:P1} of pairs, better in {length.LongerIsBetter:P1}"
                + $"{(length.BetterIsShorter is { } shorter ? $"; accuracy where the better one is shorter {Score(shorter.Accuracy)}" : "")}"
                + $"{(double.IsNaN(length.PartialCorrelation) ? "" : $"; partial correlation {Score(length.PartialCorrelation)}")}");
        if (evaluation.Ties is { } ties)
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"{"ties",-22}{Pairs(ties.EqualRewardPairCount)} with equal rewards, {ties.TiedPairCount:N0} with equal scores; right of three classes "
                + $"{ties.ThreeWayAccuracy:F3}");
        if (evaluation.HumanAgreement is { } human)
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"{"people",-22}agree in {human.Agreement:P1} of {Pairs(human.PairCount)}; at most {human.Ceiling:F3} can be reached there, the model has "
                + $"{human.Accuracy:F3}");
        if (evaluation.Reference is { } reference)
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"{"reference answers",-22}mean reward {reference.Mean:F3} of {reference.Count:N0}, {NumberText.Difference(reference.Drift, 2)} standard deviations from 0; "
                + $"{reference.ShareAbove:P1} of answers are above");
        foreach (var check in evaluation.Consistency)
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"{check.Edit,-22}changes rewards by {check.MeanChange:G3} on average, {check.LargestChange:G3} at most"
                + $"{(double.IsNaN(check.ChangedPairShare) ? "" : string.Create(CultureInfo.InvariantCulture, $", and the order of {check.ChangedPairShare:P1} of pairs"))} ({NumberText.Count(check.ListCount, "list")})");
        if (evaluation.Benchmark is { } benchmark)
        {
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"{benchmark.Name,-22}{benchmark.Score:P1}: {string.Join(", ", benchmark.Sections.Select(TextOf))}");
            if (benchmark.MissingSubsets.Count > 0)
                yield return $"{"",-22}not comparable, as the data lack {string.Join(", ", benchmark.MissingSubsets)}";
        }
        foreach (var table in evaluation.Tables)
        {
            yield return $"by {table.By.Replace('-', ' ')}";
            foreach (var row in table.Rows.Take(mostRows))
                yield return string.Create(
                CultureInfo.InvariantCulture,
                    $"  {Short(row.Name),-36}{row.Accuracy:F3} ({row.AccuracyLow:F3} to {row.AccuracyHigh:F3}), {Pairs(row.PairCount)}");
            if (table.Rows.Count > mostRows)
                yield return $"  and {table.Rows.Count - mostRows} more (--json, --html)";
        }
    }

    private static string TextOf(BenchmarkSection section) => string.Create(CultureInfo.InvariantCulture, $"{section.Name} {section.Score:P1}");

    private static string Pairs(long count) => NumberText.Count(count, "pair");

    /// <summary>Three decimals; a zero has no minus.</summary>
    private static string Score(double score) => (Math.Round(score, 3) + 0.0).ToString("F3", CultureInfo.InvariantCulture);

    private static string Short(string name) => name.Length <= 34 ? name : name[..16] + ".." + name[^16..];
}
