using System.Globalization;
using RewardModel.Training.Evaluation;

namespace RewardModel.Training.Records;

/// <summary>A comparison of models as one HTML file, which loads nothing.</summary>
internal static class ComparisonReport
{
    /// <summary>The page.</summary>
    public static string Of(ModelComparison comparison)
    {
        List<(string, string, Action<Html>)> sections =
        [
            ("models", "Models", html => WriteModels(html, comparison)),
            ("differences", "Differences", html => WriteDifferences(html, comparison.Differences)),
        ];
        if (comparison.Tables.Count > 0)
            sections.Add(("where", "Where each model wins", html => WriteTables(html, comparison)));
        if (comparison.Disagreements.Count > 0)
            sections.Add(("disagreements", "Disagreements", html => WriteDisagreements(html, comparison)));
        return HtmlReport.Page(
            $"{comparison.Models.Count} models", html => WriteHeader(html, comparison), sections);
    }

    /// <summary>That lists are left out, and why.</summary>
    public static string LeftOut(int count) =>
        $"{NumberText.Count(count, "list")} {(count == 1 ? "is" : "are")} left out, as one of the models can't read {(count == 1 ? "it" : "them")}.";

    private static void WriteHeader(Html html, ModelComparison comparison)
    {
        using var _ = html.Open("header");
        html.Element("p", "Comparison of reward models", ("class", "kind"));
        html.Element("h1", string.Join(" · ", comparison.Models.Select(model => NumberText.Name(model.Name))), ("dir", "auto"));
        var metrics = comparison.Models[0].Metrics;
        html.Element(
            "p",
            $"On the same {NumberText.Count(metrics.PairCount, "pair")} of {NumberText.Count(metrics.PromptCount, "prompt")}."
            + (comparison.LeftOutListCount == 0 ? "" : $" {LeftOut(comparison.LeftOutListCount)}"),
            ("class", "state"));
        using var list = html.Open("ul", ("class", "comparisons"));
        foreach (var difference in comparison.Differences)
        {
            var (kind, sign, words) = difference switch
            {
                { Low: > 0 } => ("better", "✓", "is better than"),
                { High: < 0 } => ("worse", "✗", "is worse than"),
                _ => ("open", "≈", "can't be told from"),
            };
            using var item = html.Open("li", ("class", kind));
            html.Element("span", sign, ("class", "sign"), ("aria-hidden", "true"));
            using var text = html.Open("span");
            html.Text($"{NumberText.Name(difference.First)} {words} {NumberText.Name(difference.Second)}: ");
            html.Element("b", $"{NumberText.Points(difference.Difference)} points");
            html.Text($" ({NumberText.Points(difference.Low)} to {NumberText.Points(difference.High)})");
        }
    }

    private static void WriteModels(Html html, ModelComparison comparison)
    {
        using var figure = html.Open("figure", ("class", "broad"));
        new DotPlot(["Model", "Accuracy", "95 % interval", "Kendall's tau", "Best answer first"], AxisUnit.Percent, 0.5).Write(html,
        [
            .. comparison.Models.Select(model => new DotPlotRow(
                model.Name, model.Metrics.Accuracy, model.Metrics.AccuracyLow, model.Metrics.AccuracyHigh,
                [
                    NumberText.Percent(model.Metrics.Accuracy), NumberText.PercentInterval(model.Metrics.AccuracyLow, model.Metrics.AccuracyHigh),
                    NumberText.Number(model.Metrics.KendallTau), NumberText.Percent(model.Metrics.TopAnswerAccuracy),
                ])),
        ]);
        html.Element(
            "figcaption", "Each model by itself. Intervals that overlap don't say that models are equally good: the differences below are sharper.");
    }

    private static void WriteDifferences(Html html, IReadOnlyList<ModelDifference> differences)
    {
        using var figure = html.Open("figure", ("class", "broad"));
        new DotPlot(["Models", "Difference", "95 % interval", "p-value", "Right alone", "Same order"], AxisUnit.Points, reference: 0).Write(html,
        [
            .. differences.Select(difference => new DotPlotRow(
                $"{difference.First} − {difference.Second}", difference.Difference, difference.Low, difference.High,
                [
                    NumberText.Points(difference.Difference), $"{NumberText.Points(difference.Low)} to {NumberText.Points(difference.High)}",
                    difference.Probability.ToString("G2", CultureInfo.InvariantCulture),
                    $"{NumberText.Count(difference.FirstOnlyCount)} : {NumberText.Count(difference.SecondOnlyCount)}",
                    NumberText.Percent(difference.Agreement),
                ])),
        ]);
        html.Element(
            "figcaption",
            "The accuracy of the first model less that of the second one on the same pairs, in percentage points, by the paired bootstrap over prompts. "
            + "The p-value says how often models that are equally good would differ as much; it is not corrected for comparing several.");
    }

    private static void WriteTables(Html html, ModelComparison comparison)
    {
        // Of more models, a pair would be counted once for each that puts it wrong.
        var areTwo = comparison.Models.Count == 2;
        using var _ = html.Open("div", ("class", "figures"));
        foreach (var table in comparison.Tables)
        {
            using var figure = html.Open("figure", ("class", "broad"));
            html.Element("h3", AccuracyFigures.TitleOf(table.By));
            using var scrolls = html.Open("div", ("class", "scrolls"));
            using var rows = html.Open("table");
            using (html.Open("thead"))
            using (html.Open("tr"))
            {
                html.Element("th", "", ("scope", "col"));
                foreach (var model in comparison.Models)
                    html.Element("th", NumberText.Name(model.Name), ("scope", "col"), ("class", "number"), ("dir", "auto"));
                if (areTwo)
                    html.Element("th", "Right alone", ("scope", "col"), ("class", "number"));
                html.Element("th", "Pairs", ("scope", "col"), ("class", "number"));
                html.Element("th", "Better", ("scope", "col"));
            }
            using var body = html.Open("tbody");
            foreach (var row in table.Rows)
                using (html.Open("tr"))
                {
                    html.Element("th", NumberText.Name(row.Name), ("scope", "row"), ("dir", "auto"));
                    foreach (var accuracy in row.Accuracies)
                        html.Element("td", NumberText.Percent(accuracy), ("class", "number"));
                    if (areTwo)
                        html.Element("td", $"{NumberText.Count(row.Wins[0][1])} : {NumberText.Count(row.Wins[1][0])}", ("class", "number"));
                    html.Element("td", NumberText.Count(row.PairCount), ("class", "number"));
                    html.Element("td", row.Winner is null ? "" : NumberText.Name(row.Winner), ("dir", "auto"));
                }
        }
    }

    private static void WriteDisagreements(Html html, ModelComparison comparison)
    {
        html.Element(
            "p",
            "Pairs that models put into different orders, those first on which they are most sure of it, in their own scales. Texts and rewards above each "
            + "table are those of the first model.",
            ("class", "how"));
        PairFigures.Write(html, "disagreement", [.. comparison.Disagreements.Select(disagreement => disagreement.Pair)], index =>
        {
            using var table = html.Open("table");
            using (html.Open("thead"))
            using (html.Open("tr"))
                foreach (var heading in new[] { "Model", "Better answer", "Worse answer", "Difference" })
                    html.Element("th", heading, ("scope", "col"), ("class", heading == "Model" ? null : "number"));
            using var body = html.Open("tbody");
            foreach (var rewards in comparison.Disagreements[index].Rewards)
                using (html.Open("tr"))
                {
                    html.Element("th", NumberText.Name(rewards.Model), ("scope", "row"), ("dir", "auto"));
                    html.Element("td", NumberText.Number(rewards.Better), ("class", "number"));
                    html.Element("td", NumberText.Number(rewards.Worse), ("class", "number"));
                    html.Element("td", NumberText.Number((double)rewards.Better - rewards.Worse), ("class", "number"));
                }
        });
    }
}
