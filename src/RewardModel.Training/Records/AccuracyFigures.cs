using RewardModel.Training.Evaluation;
using RewardModel.Training.Metrics;

namespace RewardModel.Training.Records;

/// <summary>What the accuracy is better than, and what it is on pairs of each kind.</summary>
internal static class AccuracyFigures
{
    private const double chance = 0.5;

    /// <summary>The model beside its baselines.</summary>
    public static void WriteBaselines(Html html, IReadOnlyList<BaselineComparison> baselines)
    {
        if (baselines.Count == 0)
            return;
        using var _ = html.Open("figure", ("class", "broad"));
        html.Element("h3", "Better than what understands nothing");
        new DotPlot(["Baseline", "Its accuracy", "Difference", "95 % interval", "Pairs"], AxisUnit.Points, reference: 0).Write(html,
        [
            .. baselines.Select(baseline => new DotPlotRow(
                BaselineName.InWords(baseline.Name), baseline.Difference, baseline.DifferenceLow, baseline.DifferenceHigh,
                [
                    NumberText.Percent(baseline.Accuracy), NumberText.Points(baseline.Difference),
                    $"{NumberText.Points(baseline.DifferenceLow)} to {NumberText.Points(baseline.DifferenceHigh)}",
                    NumberText.Count(baseline.PairCount),
                ])),
        ]);
        html.Element(
            "figcaption",
            "The model's accuracy less that of each baseline on the same pairs, in percentage points: an interval that lies right of 0 is a model "
            + "that knows more.");
    }

    /// <summary>The accuracy by what pairs differ in.</summary>
    public static void WriteTable(Html html, AccuracyTable table)
    {
        if (table.Rows.Count == 0)
            return;
        using var _ = html.Open("figure");
        html.Element("h3", TitleOf(table.By));
        WriteRows(html, table.Rows, "");
        html.Element("figcaption", Of(table.By).How);
    }

    /// <summary>What a table is called.</summary>
    public static string TitleOf(string by) => Of(by).Title;

    /// <summary>Accuracies below each other.</summary>
    /// <param name="html">Where to.</param>
    /// <param name="rows">The accuracies.</param>
    /// <param name="heading">What their names are.</param>
    public static void WriteRows(Html html, IReadOnlyList<AccuracyRow> rows, string heading) =>
        new DotPlot([heading, "Accuracy", "95 % interval", "Pairs"], AxisUnit.Percent, chance).Write(html,
        [
            .. rows.Select(row => new DotPlotRow(
                row.Name, row.Accuracy, row.AccuracyLow, row.AccuracyHigh,
                [
                    NumberText.Percent(row.Accuracy), NumberText.PercentInterval(row.AccuracyLow, row.AccuracyHigh),
                    NumberText.Count(row.PairCount),
                ])),
        ]);

    private static (string Title, string How) Of(string by) => by switch
    {
        "answers" => ("By the number of answers", "The accuracy on lists of so many answers; the dashed line is chance."),
        "rank-distance" => (
            "By the distance of ranks", "Answers that are further apart in their ranking should be easier to tell apart; the dashed line is chance."),
        "score-gap" => (
            "By the difference of scores", "Pairs whose scores differ by more should be easier; where they aren't, the model misses what the scores say."),
        "length-difference" => (
            "By the difference of lengths",
            "From better answers that are much shorter to those that are much longer, in tokens: a slope is a model that judges length."),
        "source" => ("By file", "A file with a lower accuracy is harder, noisier, or unlike what was trained on."),
        "group" => ("By group", "A group with a lower accuracy is harder, noisier, or rare in training."),
        "language" => ("By language", "By the script or the guessed language of the texts."),
        "truncation" => ("By truncation", "Lists that lost tokens to the maximum length beside those that the model reads whole."),
        _ => ($"By {by}", "The accuracy on some of the pairs; the dashed line is chance."),
    };
}
