using System.Globalization;
using System.Text;

namespace RewardModel.Training.Records;

/// <summary>
/// A chart in SVG: a plot as wide as its place on the page and of a fixed height, with numbers on its left and below. Letters and lines keep
/// their sizes at every width, as places along the horizontal axis are percentages; paths lie in an SVG of their own, which is stretched.
/// Disposing of it closes it.
/// </summary>
internal sealed class Plot : IDisposable
{
    /// <summary>Pixels.</summary>
    public const int DefaultHeight = 200;

    /// <summary>Units of the stretched SVG.</summary>
    private const int width = 1000;

    private readonly Html html;
    private readonly Axis horizontal;
    private readonly Axis vertical;
    private readonly int height;
    private readonly Html.Scope frame;
    private readonly Html.Scope svg;

    /// <param name="html">Where it is written.</param>
    /// <param name="horizontal">The axis below.</param>
    /// <param name="vertical">The axis on the left.</param>
    /// <param name="horizontalName">What the axis below shows.</param>
    /// <param name="description">What is seen, for those who don't see it.</param>
    /// <param name="height">Pixels.</param>
    public Plot(Html html, Axis horizontal, Axis vertical, string horizontalName, string description, int height = DefaultHeight)
    {
        (this.html, this.horizontal, this.vertical, this.height) = (html, horizontal, vertical, height);
        frame = html.Open("div", ("class", "plot"));
        svg = html.Open("svg", ("role", "img"), ("aria-label", description), ("width", "100%"), ("height", $"{height}"));
        using (html.Open("g", ("class", "grid")))
        {
            foreach (var tick in vertical.Ticks)
            {
                html.Empty("line", ("x2", "100%"), ("y1", Y(tick)), ("y2", Y(tick)));
                html.Element("text", vertical.Label(tick), ("x", "-8"), ("y", Y(tick)), ("dy", "0.32em"), ("class", "left"));
            }
            foreach (var tick in horizontal.Ticks)
            {
                html.Empty("line", ("x1", X(tick)), ("x2", X(tick)), ("y1", $"{height}"), ("y2", $"{height + 4}"), ("class", "tick"));
                html.Element("text", horizontal.Label(tick), ("x", X(tick)), ("y", $"{height + 17}"));
            }
        }
        html.Element("text", horizontalName, ("x", "100%"), ("y", $"{height + 33}"), ("class", "name"));
    }

    /// <summary>Lines through points, which end where a number is missing.</summary>
    public void Lines(params ReadOnlySpan<(string Class, IEnumerable<(double X, double Y)> Points)> lines)
    {
        using var _ = OpenStretched();
        foreach (var (name, points) in lines)
            Path(name, LineThrough(points));
    }

    /// <summary>The paths of a curve: the band between two lines, and lines over it; all of them stand there, as report.js draws them anew.</summary>
    public void Curve(
        IReadOnlyList<(double X, double Low, double High)> band, IEnumerable<(double X, double Y)> raw, IEnumerable<(double X, double Y)> smooth,
        IEnumerable<(double X, double Y)> points)
    {
        using var _ = OpenStretched();
        Path("band", Area(band));
        Path("raw", LineThrough(raw));
        Path("smooth", LineThrough(smooth));
        Path("held-out", LineThrough(points));
    }

    /// <summary>Many points as one path.</summary>
    public void Points(IEnumerable<(double X, double Y)> points)
    {
        using var _ = OpenStretched();
        var path = new StringBuilder();
        foreach (var (x, y) in points)
            path.Append('M').Append(At(x, y)).Append("h0");
        Path("points", path.ToString());
    }

    /// <summary>A point.</summary>
    public void Dot(double x, double y, string name, string title, double radius = 3)
    {
        using var _ = html.Open("circle", ("cx", X(x)), ("cy", Y(y)), ("r", Coordinate(radius)), ("class", name));
        html.Element("title", title);
    }

    /// <summary>An upright line, such as an interval.</summary>
    public void Upright(double x, double low, double high, string name) =>
        html.Empty("line", ("x1", X(x)), ("x2", X(x)), ("y1", Y(low)), ("y2", Y(high)), ("class", name));

    /// <summary>A level line of an interval of the horizontal axis.</summary>
    public void Level(double low, double high, double y, string name) =>
        html.Empty("line", ("x1", X(low)), ("x2", X(high)), ("y1", Y(y)), ("y2", Y(y)), ("class", name));

    /// <summary>A bar from the bottom of the plot, with a little space to the next one.</summary>
    public void Bar(double low, double high, double top, string name, string title)
    {
        var (left, right) = (100 * horizontal.PlaceOf(low), 100 * horizontal.PlaceOf(high));
        var space = Math.Min(0.3, (right - left) / 8);
        using var _ = html.Open(
            "rect", ("x", Percentage(left + space)), ("width", Percentage(right - left - 2 * space)), ("y", Y(top)),
            ("height", Coordinate(height * vertical.PlaceOf(top))), ("class", name));
        html.Element("title", title);
    }

    /// <summary>A text beside a place.</summary>
    public void Label(double x, double y, string content, string name, int right = 0, int down = 0) => html.Element(
        "text", content, ("x", X(x)), ("y", Y(y)), ("dx", $"{right}"), ("dy", $"{down}"), ("class", name));

    /// <summary>A group of marks.</summary>
    public Html.Scope Group(string name) => html.Open("g", ("class", name));

    /// <summary>Closes it.</summary>
    public void Dispose()
    {
        svg.Dispose();
        frame.Dispose();
    }

    private Html.Scope OpenStretched() => html.Open(
        "svg", ("class", "lines"), ("width", "100%"), ("height", $"{height}"), ("viewBox", $"0 0 {width} {height}"), ("preserveAspectRatio", "none"));

    private void Path(string name, string path) => html.Empty("path", ("class", name), ("d", path));

    private string LineThrough(IEnumerable<(double X, double Y)> points)
    {
        var path = new StringBuilder();
        var isOpen = false;
        foreach (var (x, y) in points)
        {
            if (double.IsNaN(y))
            {
                isOpen = false;
                continue;
            }
            path.Append(isOpen ? 'L' : 'M').Append(At(x, y));
            // A point between gaps is drawn as well.
            if (!isOpen)
                path.Append("h0");
            isOpen = true;
        }
        return path.ToString();
    }

    private string Area(IReadOnlyList<(double X, double Low, double High)> band)
    {
        var path = new StringBuilder();
        for (var start = 0; start < band.Count;)
        {
            var end = start;
            while (end < band.Count && !double.IsNaN(band[end].Low))
                end++;
            for (var i = start; i < end; i++)
                path.Append(i == start ? 'M' : 'L').Append(At(band[i].X, band[i].High));
            for (var i = end - 1; i >= start; i--)
                path.Append('L').Append(At(band[i].X, band[i].Low));
            if (end > start)
                path.Append('Z');
            start = end + 1;
        }
        return path.ToString();
    }

    private string At(double x, double y) => $"{Coordinate(width * horizontal.PlaceOf(x))} {Y(y)}";

    private string X(double value) => Percentage(100 * horizontal.PlaceOf(value));

    private string Y(double value) => Coordinate(height * (1 - vertical.PlaceOf(value)));

    private static string Percentage(double value) => value.ToString("0.##", CultureInfo.InvariantCulture) + "%";

    private static string Coordinate(double value) => value.ToString("0.#", CultureInfo.InvariantCulture);
}
