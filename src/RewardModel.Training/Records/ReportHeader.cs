using RewardModel.Training.Diagnosis;
using RewardModel.Training.Evaluation;
using RewardModel.Training.Metrics;

namespace RewardModel.Training.Records;

/// <summary>The verdict: how good the model is, what it is better than, and what is wrong.</summary>
internal static class ReportHeader
{
    /// <summary>Writes it.</summary>
    public static void Write(Html html, RunRecord record)
    {
        using var _ = html.Open("header");
        html.Element("p", record.Run is null ? "Evaluation of a reward model" : "Training of a reward model", ("class", "kind"));
        html.Element("h1", NumberText.Name(record.Name), ("dir", "auto"));
        WriteState(html, record);
        if (MetricsOf(record) is { PairCount: > 0 } ofPairs)
            WriteVerdict(html, record, ofPairs);
        else if (MetricsOf(record) is { Attributes: { } attributes } ofAttributes)
            WriteVerdict(html, ofAttributes, attributes);
        else
            html.Element("p", "There is no evaluation with pairs of answers yet.", ("class", "verdict none"));
        if (record.Evaluation is { } evaluation)
            WriteComparisons(html, evaluation);
        foreach (var diagnosis in record.Diagnoses.OrderByDescending(diagnosis => diagnosis.Severity))
            WriteBox(html, Word(diagnosis.Severity), diagnosis.Id, diagnosis.Sentence);
    }

    /// <summary>A sentence that something is wrong, with how bad it is as a word, and as a colour.</summary>
    public static void WriteBox(Html html, string severity, string id, string sentence, string? more = null)
    {
        using var _ = html.Open("div", ("class", $"box {severity}"));
        using (html.Open("p"))
        {
            html.Element("strong", severity);
            html.Element("span", id, ("class", "id"));
        }
        html.Element("p", sentence);
        if (more is not null)
            html.Element("p", more, ("class", "how"));
    }

    /// <summary>The figures of the model: of its evaluation, or of the best or last one of its run until there is one.</summary>
    private static RankingMetrics? MetricsOf(RunRecord record) =>
        record.Evaluation?.Metrics
        ?? (record.Evaluations.LastOrDefault(evaluation => evaluation.IsBest) ?? (record.Evaluations.Count > 0 ? record.Evaluations[^1] : null))?.Metrics;

    private static void WriteState(Html html, RunRecord record)
    {
        if (record.Run is null)
            return;
        var taken = record.Steps.Count > 0 ? record.Steps[^1].Step : record.Run.Step;
        var steps = $"{NumberText.Count(taken)} of {NumberText.Count(record.Run.StepCount, "step")}";
        var text = record.IsFinished
            ? $"Finished after {steps}."
            : record.Steps.Count > 0 ? $"Not finished: {steps}, about {NumberText.Duration(record.Steps[^1].TimeLeft)} left." : $"Not finished: {steps}.";
        html.Element("p", text, ("class", "state"));
    }

    private static void WriteVerdict(Html html, RunRecord record, RankingMetrics metrics)
    {
        using (html.Open("p", ("class", "verdict")))
        {
            html.Element("strong", NumberText.Percent(metrics.Accuracy));
            using var _ = html.Open("span");
            html.Element("b", record.Run is null ? "accuracy" : "held-out accuracy");
            html.Text(
                $" 95 % interval {NumberText.PercentInterval(metrics.AccuracyLow, metrics.AccuracyHigh)}, on {NumberText.Count(metrics.PairCount, "pair")} of "
                + $"{NumberText.Count(metrics.PromptCount, "prompt")}");
        }
        RewardFigures.WriteNumbers(html,
            ("Kendall's tau", Number(metrics.KendallTau)),
            ("best answer found", double.IsNaN(metrics.TopAnswerAccuracy) ? null : NumberText.Percent(metrics.TopAnswerAccuracy)),
            ("nDCG", record.Evaluation is { } evaluation ? Number(evaluation.Ndcg) : null),
            ("margin", Number(metrics.Margin)),
            ("loss", Number(metrics.Loss)),
            ("calibration error", record.Evaluation?.Calibration is { } calibration ? NumberText.Percent(calibration.ExpectedCalibrationError) : null));
    }

    /// <summary>Where answers are rated and not compared.</summary>
    private static void WriteVerdict(Html html, RankingMetrics metrics, IReadOnlyList<AttributeMetrics> attributes)
    {
        using (html.Open("p", ("class", "verdict")))
        {
            html.Element("strong", NumberText.Number(attributes.Average(attribute => attribute.MeanSquaredError)));
            using var _ = html.Open("span");
            html.Element("b", "mean squared error of attributes");
            html.Text($" on {NumberText.Count(metrics.AnswerCount, "answer")} of {NumberText.Count(metrics.ListCount, "list")}; no pair of answers has an order");
        }
        RewardFigures.WriteNumbers(
            html, attributes.Select(attribute => ($"correlation with {NumberText.Name(attribute.Name)}", Number(attribute.Correlation))));
    }

    private static string? Number(double value) => double.IsNaN(value) ? null : NumberText.Number(value);

    /// <summary>Chance, the longer answer and the best of the others.</summary>
    private static void WriteComparisons(Html html, RewardEvaluation evaluation)
    {
        string[] always = ["chance", "longer"];
        BaselineComparison[] shown =
        [
            .. always.Select(name => evaluation.Baselines.FirstOrDefault(baseline => baseline.Name == name)).OfType<BaselineComparison>(),
            .. new[] { evaluation.Baselines.Where(baseline => !always.Contains(baseline.Name)).MaxBy(baseline => baseline.Accuracy) }
                .OfType<BaselineComparison>(),
        ];
        if (shown.Length == 0)
            return;
        using var _ = html.Open("ul", ("class", "comparisons"));
        foreach (var baseline in shown)
        {
            var (kind, sign, words) = baseline switch
            {
                { DifferenceLow: > 0 } => ("better", "✓", "better than"),
                { DifferenceHigh: < 0 } => ("worse", "✗", "worse than"),
                _ => ("open", "≈", "not clearly better than"),
            };
            using var item = html.Open("li", ("class", kind));
            html.Element("span", sign, ("class", "sign"), ("aria-hidden", "true"));
            using var text = html.Open("span");
            html.Text($"{words} {BaselineName.InWords(baseline.Name)}: ");
            html.Element("b", $"{NumberText.Points(baseline.Difference)} points");
            html.Text($" ({NumberText.Points(baseline.DifferenceLow)} to {NumberText.Points(baseline.DifferenceHigh)})");
        }
    }

    private static string Word(DiagnosisSeverity severity) => severity switch
    {
        DiagnosisSeverity.Error => "error",
        DiagnosisSeverity.Warning => "warning",
        _ => "note",
    };
}
