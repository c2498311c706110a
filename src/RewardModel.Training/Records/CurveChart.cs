using System.Text.Json.Nodes;
using RewardModel.Training.Metrics;

namespace RewardModel.Training.Records;

/// <summary>A chart of a number over the steps of a run: of every step, of the evaluations, or of both.</summary>
/// <param name="Id">What report.js knows it by.</param>
/// <param name="Title">Its heading.</param>
/// <param name="How">How it is read, in a sentence.</param>
/// <param name="Steps">The number of the steps; null where they have none.</param>
/// <param name="Evaluations">The evaluations.</param>
/// <param name="ValueOf">The number of an evaluation, and its interval, NaN where there is none; null where evaluations have none.</param>
internal sealed record CurveChart(
    string Id, string Title, string How, StepCurve? Steps, EvaluationPoints Evaluations,
    Func<RankingMetrics, (double Value, double Low, double High)>? ValueOf)
{
    /// <summary>As many columns as can be told apart.</summary>
    private const int mostColumns = 600;

    /// <summary>Numbers that are so many times as large as the median are still seen beside it.</summary>
    private const double mostTimesMedian = 20;

    /// <summary>What the numbers are.</summary>
    public AxisUnit Unit { get; init; }

    /// <summary>Whether the axis is as long as the smooth line needs, as single steps go everywhere.</summary>
    public bool FitsSmooth { get; init; }

    /// <summary>Whether few of the numbers may be far larger than the others, which a logarithmic axis shows.</summary>
    public bool MayHavePeaks { get; init; }

    /// <summary>Whether there is anything to see.</summary>
    public bool HasContent => Steps is { IsEmpty: false } || Points.Any(point => double.IsFinite(point.Value));

    private bool IsLogarithmic
    {
        get
        {
            if (!MayHavePeaks || Steps is null)
                return false;
            float[] sorted = [.. Steps.Low.Where(float.IsFinite).Order()];
            return sorted.Length > 0 && sorted[0] > 0 && Points.All(point => !(point.Value <= 0))
                && Steps.High.Where(float.IsFinite).Max() > mostTimesMedian * sorted[sorted.Length / 2];
        }
    }

    private (double Step, double Value, double Low, double High)[] Points => ValueOf is null
        ? []
        : [.. Evaluations.Shown.Select(evaluation => (Step: (double)evaluation.Step, Of: ValueOf(evaluation.Metrics)))
            .Select(point => (point.Step, point.Of.Value, point.Of.Low, point.Of.High))];

    /// <summary>Writes it as a figure.</summary>
    /// <param name="html">Where to.</param>
    /// <param name="horizontal">The axis of steps.</param>
    public void Write(Html html, Axis horizontal)
    {
        var points = Points;
        using var _ = html.Open("figure", ("class", "curve"), ("data-curve", Id));
        html.Element("h3", Title);
        WriteKeys(html, points.Length > 0);
        (double Step, double Low, double High, double Mean, double Smooth)[] columns = Steps is null ? [] : [.. Steps.Columns(mostColumns)];
        using (var plot = new Plot(html, horizontal, VerticalAxis(), "step", Description(points)))
        {
            plot.Curve(
                [.. columns.Select(column => (column.Step, column.Low, column.High))],
                columns.Select(column => (column.Step, column.Mean)),
                columns.Select(column => (column.Step, column.Smooth)),
                points.Where((_, i) => Evaluations.Shown[i].AverageOf is null).Select(point => (point.Step, point.Value)));
            WriteMarks(plot, points);
        }
        html.Element("figcaption", How + LeftOut());
    }

    /// <summary>What report.js draws it with.</summary>
    public JsonObject ToJson()
    {
        var json = new JsonObject { ["percent"] = Unit == AxisUnit.Percent, ["log"] = IsLogarithmic, ["fitsSmooth"] = FitsSmooth };
        if (Steps is not null)
        {
            // Of buckets of one step all three numbers are the same.
            if (Steps.Buckets.Size > 1)
                (json["low"], json["high"]) = (StepCurve.Packed(Steps.Low), StepCurve.Packed(Steps.High));
            json["mean"] = StepCurve.Packed(Steps.Mean);
            if (Steps.SmoothedSteps > 1)
                json["smooth"] = StepCurve.Packed(Steps.Smooth);
        }
        if (ValueOf is not null)
        {
            var points = Points;
            JsonArray Numbers(Func<(double Step, double Value, double Low, double High), double> of) =>
                new([.. points.Select(point => double.IsFinite(of(point)) ? JsonValue.Create(of(point)) : null)]);
            json["points"] = new JsonObject
            {
                ["value"] = Numbers(point => point.Value),
                ["low"] = Numbers(point => point.Low),
                ["high"] = Numbers(point => point.High),
            };
        }
        return json;
    }

    private Axis VerticalAxis()
    {
        IEnumerable<float> ofSteps = Steps is null ? [] : FitsSmooth ? Steps.Smooth : Steps.Low.Concat(Steps.High);
        double[] numbers =
        [
            .. ofSteps.Select(number => (double)number).Concat(Points.SelectMany(point => new[] { point.Value, point.Low, point.High }))
                .Where(double.IsFinite),
        ];
        return Axis.Covering(numbers.Min(), numbers.Max(), Unit, IsLogarithmic);
    }

    private void WriteKeys(Html html, bool hasPoints)
    {
        using var _ = html.Open("p", ("class", "keys"));
        if (Steps is { IsEmpty: false })
            if (Steps.SmoothedSteps > 1)
            {
                html.Element("span", $"training, mean of {NumberText.Count(Steps.SmoothedSteps)} steps", ("class", "key smooth"));
                html.Element("span", FitsSmooth ? "single steps, cut off" : "single steps", ("class", "key raw"));
            }
            else
                html.Element("span", "every step", ("class", "key smooth"));
        if (hasPoints)
            html.Element("span", "held-out lists", ("class", "key held-out"));
        if (IsLogarithmic)
            html.Element("span", "logarithmic axis", ("class", "key"));
    }

    private void WriteMarks(Plot plot, (double Step, double Value, double Low, double High)[] points)
    {
        using var _ = plot.Group("marks");
        for (var i = 0; i < points.Length; i++)
        {
            var (step, value, low, high) = points[i];
            if (!double.IsFinite(value))
                continue;
            if (double.IsFinite(low))
                plot.Upright(step, low, high, "interval");
            var isAverage = Evaluations.Shown[i].AverageOf is not null;
            var title = $"{(isAverage ? "average of weights" : $"after step {NumberText.Count((long)step)}")}: {Text(value)}";
            plot.Dot(step, value, isAverage ? "average" : "held-out", title);
            if (i == Evaluations.BestIndex)
                plot.Dot(step, value, "best", $"best, {title}", radius: 6);
        }
    }

    private string Text(double value) => Unit == AxisUnit.Percent ? NumberText.Percent(value) : NumberText.Number(value);

    private string Description((double Step, double Value, double Low, double High)[] points)
    {
        var text = $"{Title} over the steps of the run.";
        if (Steps is { IsEmpty: false })
            text += $" In training from {Text(Steps.Smooth.First(float.IsFinite))} to {Text(Steps.Smooth.Last(float.IsFinite))}.";
        if (Evaluations.BestIndex is { } best && points.Length > 0 && double.IsFinite(points[best].Value))
            text += $" Of the best evaluation, after step {NumberText.Count((long)points[best].Step)}: {Text(points[best].Value)}.";
        return text;
    }

    private string LeftOut() => Steps is not { LeftOutCount: > 0 and var count }
        ? ""
        : count == 1 ? " One step has no finite number and is left out." : $" {NumberText.Count(count)} steps have no finite number and are left out.";
}
