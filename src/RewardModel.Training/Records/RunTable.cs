using System.Globalization;
using System.Text.Json;
using RewardModel.Training.Metrics;
using RewardModel.Training.Reporting;

namespace RewardModel.Training.Records;

/// <summary>
/// The steps and evaluations of a run as CSV (RFC 4180): a row a step, with the held-out figures after it where there was an evaluation.
/// The evaluation before the first step has a row of its own, and so has that of the average at the end.
/// </summary>
internal static class RunTable
{
    private static readonly (string Name, Func<StepReport, double> Value)[] ofSteps =
    [
        ("epoch", step => step.Epoch), ("loss", step => step.Loss), ("accuracy", step => step.Accuracy),
        ("learning_rate", step => step.LearningRate), ("gradient_norm", step => step.GradientNorm), ("tokens", step => step.Tokens),
        ("tokens_seen", step => step.TokensSeen), ("tokens_per_second", step => step.TokensPerSecond),
    ];

    private static readonly (string Name, Func<RankingMetrics, double?> Value)[] ofEvaluations =
    [
        .. typeof(RankingMetrics).GetProperties().Where(property => property.Name != nameof(RankingMetrics.Attributes)).Select(property => (
            $"held_out_{JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name)}",
            (Func<RankingMetrics, double?>)(metrics =>
                property.GetValue(metrics) is { } value ? Convert.ToDouble(value, CultureInfo.InvariantCulture) : null))),
    ];

    /// <summary>Writes the table.</summary>
    public static void Write(RunRecord record, TextWriter text)
    {
        string[] terms = [.. record.Steps.SelectMany(step => step.LossTerms?.Keys ?? []).Distinct()];
        string[] attributes =
            [.. record.Evaluations.SelectMany(evaluation => evaluation.Metrics.Attributes ?? []).Select(attribute => attribute.Name).Distinct()];
        WriteRow(
            text,
            [
                "step", .. ofSteps.Select(column => column.Name), .. terms.Select(term => $"loss_{term}"),
                .. ofEvaluations.Select(column => column.Name),
                .. attributes.SelectMany(name => new[] { $"held_out_squared_error_{name}", $"held_out_correlation_{name}" }),
                "held_out_is_best", "average_of",
            ]);
        // An average is evaluated behind the last step.
        var evaluations = new Queue<EvaluationReport>(record.Evaluations);
        foreach (var step in record.Steps)
        {
            while (evaluations.TryPeek(out var earlier) && earlier.Step < step.Step)
                WriteRow(text, Cells(null, evaluations.Dequeue(), terms, attributes));
            var isEvaluated = evaluations.TryPeek(out var next) && next.Step == step.Step && next.AverageOf is null;
            WriteRow(text, Cells(step, isEvaluated ? evaluations.Dequeue() : null, terms, attributes));
        }
        foreach (var later in evaluations)
            WriteRow(text, Cells(null, later, terms, attributes));
    }

    private static IEnumerable<string> Cells(StepReport? step, EvaluationReport? evaluation, string[] terms, string[] attributes) =>
    [
        Text(step?.Step ?? evaluation!.Step),
        .. ofSteps.Select(column => step is null ? "" : Text(column.Value(step))),
        .. terms.Select(term => step?.LossTerms is { } found && found.TryGetValue(term, out var value) ? Text(value) : ""),
        .. ofEvaluations.Select(column => evaluation is not null && column.Value(evaluation.Metrics) is { } value ? Text(value) : ""),
        .. attributes.Select(name => evaluation?.Metrics.Attributes?.FirstOrDefault(attribute => attribute.Name == name)).SelectMany(attribute =>
            attribute is null ? new[] { "", "" } : [Text(attribute.MeanSquaredError), Text(attribute.Correlation)]),
        evaluation is null ? "" : evaluation.IsBest ? "true" : "false",
        string.Join(' ', (evaluation?.AverageOf ?? []).Select(averaged => Text(averaged))),
    ];

    private static string Text(double value) => value.ToString(CultureInfo.InvariantCulture);

    private static void WriteRow(TextWriter text, IEnumerable<string> cells)
    {
        text.Write(string.Join(',', cells.Select(Quoted)));
        text.Write("\r\n");
    }

    private static string Quoted(string cell) =>
        cell.AsSpan().IndexOfAny(",\"\r\n") < 0 ? cell : $"\"{cell.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
