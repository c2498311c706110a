using System.Text.Json.Nodes;
using RewardModel.Training.Reporting;

namespace RewardModel.Training.Records;

/// <summary>The curves of a run, which zoom together.</summary>
internal sealed class TrainingCurves
{
    private readonly StepBuckets? buckets;
    private readonly EvaluationPoints evaluations;
    private readonly CurveChart[] charts;
    private readonly int from;
    private readonly int to;

    public TrainingCurves(RunRecord record)
    {
        buckets = StepBuckets.Of(record.Steps);
        evaluations = new EvaluationPoints(record.Evaluations);
        StepCurve? Curve(Func<StepReport, double> value, bool smooths = true) =>
            buckets is null ? null : StepCurve.Of(record.Steps, buckets, value, smooths);
        charts =
        [
            .. new CurveChart[]
            {
                new("loss", "Loss",
                    "Both should fall; where the held-out loss rises while that of training falls, the model learns its training lists by heart.",
                    Curve(step => step.Loss), evaluations, metrics => (metrics.Loss, double.NaN, double.NaN)) { MayHavePeaks = true },
                new("accuracy", "Accuracy",
                    "The share of pairs in the right order, 50 % being chance; bars are 95 % intervals of the held-out accuracy, the ring is the best.",
                    Curve(step => step.Accuracy), evaluations, metrics => (metrics.Accuracy, metrics.AccuracyLow, metrics.AccuracyHigh))
                {
                    Unit = AxisUnit.Percent, FitsSmooth = true,
                },
                new("margin", "Margin",
                    "The mean reward of better answers less that of worse ones: where it grows and the accuracy doesn't, only the scale of rewards does.",
                    Steps: null, evaluations, metrics => (metrics.Margin, double.NaN, double.NaN)),
                new("learning-rate", "Learning rate", "The size of the optimiser's steps, as the schedule gives it.",
                    Curve(step => step.LearningRate, smooths: false), evaluations, ValueOf: null),
                new("gradient-norm", "Gradient norm",
                    "The length of the gradient before it is clipped: peaks are batches that pull hard, and a line that keeps rising is a run that gets unstable.",
                    Curve(step => step.GradientNorm), evaluations, ValueOf: null) { MayHavePeaks = true },
                new("tokens-per-second", "Tokens per second", "The speed of training; dips are other work on the machine, or long lists.",
                    Curve(step => step.TokensPerSecond), evaluations, ValueOf: null),
            }.Where(chart => chart.HasContent),
        ];
        int[] ends = [.. buckets is null ? [] : new[] { buckets.First, buckets.Last }, .. evaluations.Shown.Select(evaluation => evaluation.Step)];
        if (ends.Length > 0)
            (from, to) = (ends.Min(), ends.Max());
    }

    /// <summary>Whether there is anything to see.</summary>
    public bool HasContent => charts.Length > 0;

    /// <summary>Writes the figures.</summary>
    public void Write(Html html)
    {
        html.Element("p", Resolution(), ("class", "how"), ("id", "resolution"));
        using (html.Open("div", ("class", "figures wide")))
            foreach (var chart in charts)
                chart.Write(html, Axis.Between(from, Math.Max(to, from + 1)));
    }

    /// <summary>What report.js draws the figures with, for a script element: no character of it ends one.</summary>
    public string ToJson() => new JsonObject
    {
        ["from"] = from,
        ["to"] = Math.Max(to, from + 1),
        ["first"] = buckets?.First ?? 0,
        ["last"] = buckets?.Last ?? 0,
        ["size"] = buckets?.Size ?? 1,
        ["evaluations"] = new JsonArray([.. evaluations.Shown.Select(evaluation => JsonValue.Create(evaluation.Step))]),
        ["averages"] = new JsonArray([.. evaluations.Shown.Select(evaluation => JsonValue.Create(evaluation.AverageOf is not null))]),
        ["best"] = evaluations.BestIndex,
        ["curves"] = new JsonObject(charts.Select(chart => KeyValuePair.Create(chart.Id, (JsonNode?)chart.ToJson()))),
    }.ToJsonString();

    private string Resolution()
    {
        var text = buckets switch
        {
            null => "",
            { Size: 1 } => $"{NumberText.Count(buckets.Last)} steps, of which this file has every one. ",
            _ => $"{NumberText.Count(buckets.Last)} steps, of which this file has the mean, the lowest and the highest number of every "
                + $"{NumberText.Count(buckets.Size)}. ",
        };
        return evaluations.Every == 1 ? text : $"{text}One of {NumberText.Count(evaluations.Every)} evaluations is drawn, and the best and the last one. ";
    }
}
