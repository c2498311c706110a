using RewardModel.Training.Checks;
using RewardModel.Training.Metrics;

namespace RewardModel.Training.Records;

/// <summary>What the check of the data found.</summary>
internal static class DataFigures
{
    private const double chance = 0.5;

    /// <summary>Writes it.</summary>
    public static void Write(Html html, DataReport data)
    {
        foreach (var finding in data.Findings)
            ReportHeader.WriteBox(
                html, finding.Severity.ToString().ToLowerInvariant(), finding.Id, finding.Sentence,
                finding.Examples.Count == 0 ? null : $"For example {NumberText.Name(ReportText.Places(finding.Examples))}.");
        if (data.Findings.Count == 0)
            html.Element("p", "Nothing was found that is wrong with the lists.");
        if (data.Baselines.Count > 0)
            using (html.Open("figure", ("class", "broad")))
            {
                html.Element("h3", "What a lazy model gets");
                new DotPlot(["Baseline", "Accuracy", "95 % interval", "Pairs"], AxisUnit.Percent, chance).Write(html,
                [
                    .. data.Baselines.Select(baseline => new DotPlotRow(
                        BaselineName.InWords(baseline.Name), baseline.Accuracy, baseline.AccuracyLow, baseline.AccuracyHigh,
                        [
                            NumberText.Percent(baseline.Accuracy), NumberText.PercentInterval(baseline.AccuracyLow, baseline.AccuracyHigh),
                            NumberText.Count(baseline.PairCount),
                        ])),
                ]);
                html.Element(
                    "figcaption",
                    $"The accuracy on {(data.Split is null ? "all" : "the held-out")} lists of something that understands nothing; the dashed line is chance.");
            }
        html.Element("h3", "Figures of the lists");
        RunSummary.WriteFacts(html, ReportText.Figures(data), "many");
    }
}
