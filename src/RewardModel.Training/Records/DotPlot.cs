using System.Globalization;

namespace RewardModel.Training.Records;

/// <summary>A number with its interval: a row of a <see cref="DotPlot"/>.</summary>
/// <param name="Name">What it is of.</param>
/// <param name="Value">The number.</param>
/// <param name="Low">The lower end of its interval.</param>
/// <param name="High">The upper end.</param>
/// <param name="Numbers">The number, its interval and what else is known of it, as text.</param>
internal sealed record DotPlotRow(string Name, double Value, double Low, double High, IReadOnlyList<string> Numbers);

/// <summary>Numbers with intervals below each other: a table whose second column is a chart.</summary>
/// <param name="columns">The headings: of the names, and of each of the numbers.</param>
/// <param name="unit">What the numbers are.</param>
/// <param name="reference">What they are compared with, a line through all rows.</param>
internal sealed class DotPlot(IReadOnlyList<string> columns, AxisUnit unit, double reference)
{
    private const int rowHeight = 22;

    /// <summary>Pixels at each end that dots take.</summary>
    private const double margin = 4;

    /// <summary>Writes it.</summary>
    /// <param name="html">Where to.</param>
    /// <param name="rows">The rows, at least one.</param>
    public void Write(Html html, IReadOnlyList<DotPlotRow> rows)
    {
        double[] numbers = [reference, .. rows.SelectMany(row => new[] { row.Value, row.Low, row.High }).Where(double.IsFinite)];
        var axis = Axis.Covering(numbers.Min(), numbers.Max(), unit);
        using var _ = html.Open("div", ("class", "scrolls"));
        using var table = html.Open("table", ("class", columns.Count switch { > 5 => "dots of-five", 5 => "dots of-four", _ => "dots" }));
        using (html.Open("thead"))
        using (html.Open("tr"))
        {
            html.Element("th", columns[0], ("scope", "col"));
            using (html.Open("th", ("class", "chart"), ("aria-hidden", "true")))
                WriteTicks(html, axis);
            foreach (var column in columns.Skip(1))
                html.Element("th", column, ("scope", "col"), ("class", "number"));
        }
        using (html.Open("tbody"))
            foreach (var row in rows)
                using (html.Open("tr"))
                {
                    html.Element("th", NumberText.Name(row.Name), ("scope", "row"), ("dir", "auto"));
                    using (html.Open("td", ("class", "chart"), ("aria-hidden", "true")))
                        WriteRow(html, axis, row);
                    foreach (var number in row.Numbers)
                        html.Element("td", number, ("class", "number"));
                }
    }

    /// <summary>The names of the ends, and of what is compared with where there is room.</summary>
    private void WriteTicks(Html html, Axis axis)
    {
        using var _ = html.Open("svg", ("width", "100%"), ("height", $"{rowHeight}"));
        if (axis.PlaceOf(reference) is > 0.35 and < 0.65)
            html.Element("text", axis.Label(reference), ("x", Place(axis, reference)), ("y", "15"), ("class", "middle"));
        foreach (var tick in new[] { axis.Low, axis.High })
            html.Element(
                "text", axis.Label(tick), ("x", Place(axis, tick)), ("y", "15"), ("class", tick == axis.Low ? "start" : "end"));
    }

    private void WriteRow(Html html, Axis axis, DotPlotRow row)
    {
        var middle = $"{rowHeight / 2}";
        using var _ = html.Open("svg", ("width", "100%"), ("height", $"{rowHeight}"));
        foreach (var tick in axis.Ticks)
            html.Empty("line", ("x1", Place(axis, tick)), ("x2", Place(axis, tick)), ("y2", "100%"), ("class", "rule"));
        html.Empty("line", ("x1", Place(axis, reference)), ("x2", Place(axis, reference)), ("y2", "100%"), ("class", "reference"));
        if (double.IsFinite(row.Low) && double.IsFinite(row.High))
            html.Empty(
                "line", ("x1", Place(axis, row.Low)), ("x2", Place(axis, row.High)), ("y1", middle), ("y2", middle), ("class", "interval"));
        if (double.IsFinite(row.Value))
            html.Empty("circle", ("cx", Place(axis, row.Value)), ("cy", middle), ("r", $"{margin}"), ("class", "dot"));
    }

    /// <summary>From 2 % to 98 %, so that dots at the ends are whole.</summary>
    private static string Place(Axis axis, double value) =>
        (2 + 96 * axis.PlaceOf(value)).ToString("0.##", CultureInfo.InvariantCulture) + "%";
}
