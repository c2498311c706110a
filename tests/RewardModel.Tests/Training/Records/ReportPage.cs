using System.Xml.Linq;
using RewardModel.Training.Records;

namespace RewardModel.Tests.Training.Records;

/// <summary>
/// A report, read as XML, whose rules are stricter than those of HTML: each element is closed, each text escaped, each character allowed.
/// </summary>
internal sealed class ReportPage
{
    public ReportPage(RunRecord record) : this(HtmlReport.Of(record))
    {
    }

    public ReportPage(string html)
    {
        Text = html;
        // Scripts and style sheets are not escaped in HTML.
        var parts = Text.Split("<script>");
        Assert.InRange(parts.Length, 1, 2);
        Root = XDocument.Parse(
            parts is [var before, var after] ? before + after[(after.LastIndexOf("</script>", StringComparison.Ordinal) + "</script>".Length)..] : html).Root!;
    }

    public string Text { get; }

    public XElement Root { get; }

    /// <summary>What is read on it.</summary>
    public string Words => string.Join('\n', Root.Element("body")!.Descendants()
        .Where(element => element.Name != "script").SelectMany(element => element.Nodes().OfType<XText>()).Select(text => text.Value));

    /// <summary>The headings, of the sections and of the figures.</summary>
    public string[] Headings => [.. Root.Descendants().Where(element => element.Name == "h2" || element.Name == "h3").Select(heading => heading.Value)];

    /// <summary>The figure with this heading.</summary>
    public XElement Figure(string heading) => Root.Descendants("figure").Single(figure => (string?)figure.Element("h3") == heading);

    /// <summary>The cells of the rows of a table, the first one being the name.</summary>
    public static string[][] Rows(XElement figure) =>
    [
        .. figure.Descendants("tbody").Single().Elements("tr")
            .Select(row => row.Elements().Where(cell => !((string?)cell.Attribute("class") ?? "").Contains("chart")).Select(cell => cell.Value).ToArray()),
    ];

    /// <summary>The names and values of a list of numbers or facts.</summary>
    public static Dictionary<string, string> Numbers(XElement element) => element.Descendants("dl").SelectMany(list => list.Elements("div"))
        .ToDictionary(pair => pair.Element("dt")!.Value, pair => pair.Element("dd")!.Value);

    /// <summary>Elements of a class.</summary>
    public IEnumerable<XElement> OfClass(string name) =>
        Root.Descendants().Where(element => ((string?)element.Attribute("class") ?? "").Split(' ').Contains(name));
}
