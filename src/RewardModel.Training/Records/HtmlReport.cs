using System.Security.Cryptography;
using System.Text;
using RewardModel.Training.Evaluation;

namespace RewardModel.Training.Records;

/// <summary>
/// The report of a run or of an evaluation as one HTML file, which loads nothing: what it needs is in it, and its content security policy allows
/// nothing else. Texts of the data are escaped wherever they stand. Without JavaScript all of it is there; with it curves can be zoomed.
/// </summary>
internal static class HtmlReport
{
    private static readonly string style = Resource("report.css");
    private static readonly string script = Resource("report.js");
    private static readonly string watchScript = Resource("watch.js");

    /// <summary>The report.</summary>
    /// <param name="record">What is on record.</param>
    /// <param name="watchedVersion">
    /// What tells this state of a running training from later ones, for a page that asks its server for these; null for a file.
    /// </param>
    public static string Of(RunRecord record, string? watchedVersion = null)
    {
        var curves = new TrainingCurves(record);
        var figures = record.Evaluation is null ? "" : FiguresOf(record.Evaluation);
        (string Id, string Title, Action<Html>? Write)[] sections =
        [
            ("curves", "Training", curves.HasContent ? curves.Write : null),
            ("evaluation", "Evaluation", figures != "" ? html => WriteFigures(html, figures) : null),
            .. PairSections(record.Evaluation),
            ("data", "Data", record.Data is { } data ? html => DataFigures.Write(html, data) : null),
            ("run", "Run", record.Run is { } run ? html => RunSummary.Write(html, record, run) : null),
        ];
        return Page(
            NumberText.Name(record.Name), html => ReportHeader.Write(html, record),
            [.. sections.Where(section => section.Write is not null).Select(section => (section.Id, section.Title, section.Write!))],
            curves.ToJson(), watchedVersion);
    }

    /// <summary>A page of sections, which loads nothing.</summary>
    /// <param name="title">What it is about.</param>
    /// <param name="writeHeader">Writes what stands above all sections.</param>
    /// <param name="sections">The sections.</param>
    /// <param name="curves">What can be zoomed, as JSON; null where there is nothing.</param>
    /// <param name="watchedVersion">As for <see cref="Of"/>.</param>
    internal static string Page(
        string title, Action<Html> writeHeader, IReadOnlyList<(string Id, string Title, Action<Html> Write)> sections, string? curves = null,
        string? watchedVersion = null)
    {
        var page = new Html();
        page.Trusted("<!DOCTYPE html>\n");
        using (page.Open("html", ("lang", "en"), ("data-version", watchedVersion)))
        {
            WriteHead(page, title, watchedVersion is not null);
            using (page.Open("body"))
            {
                using (page.Open("main"))
                {
                    writeHeader(page);
                    WriteContents(page, sections.Select(section => (section.Id, section.Title)));
                    foreach (var (id, heading, write) in sections)
                        using (page.Open("section", ("id", id)))
                        {
                            page.Element("h2", heading);
                            write(page);
                        }
                    if (curves is not null)
                        using (page.Open("script", ("type", "application/json"), ("id", "curve-data")))
                            page.Trusted(curves);
                }
                if (curves is not null)
                    using (page.Open("script"))
                        page.Trusted(script);
                if (watchedVersion is not null)
                    using (page.Open("script"))
                        page.Trusted(watchScript);
            }
        }
        page.Trusted("\n");
        return page.ToString();
    }

    private static void WriteHead(Html html, string title, bool isWatched)
    {
        using var _ = html.Open("head");
        html.Empty("meta", ("charset", "utf-8"));
        html.Empty(
            "meta", ("http-equiv", "Content-Security-Policy"),
            ("content",
                $"default-src 'none'; style-src {Digest(style)}; script-src {Digest(script)}{(isWatched ? " " + Digest(watchScript) : "")}; "
                + $"{(isWatched ? "connect-src 'self'; " : "")}base-uri 'none'; form-action 'none'"));
        html.Empty("meta", ("name", "viewport"), ("content", "width=device-width, initial-scale=1"));
        html.Empty("meta", ("name", "color-scheme"), ("content", "light dark"));
        html.Element("title", $"{title} – reward model");
        using var sheet = html.Open("style");
        html.Trusted(style);
    }

    private static void WriteContents(Html html, IEnumerable<(string Id, string Title)> sections)
    {
        using var _ = html.Open("nav", ("aria-label", "Sections"));
        foreach (var (id, title) in sections)
            html.Element("a", title, ("href", $"#{id}"));
    }

    private static void WriteFigures(Html html, string figures)
    {
        using var _ = html.Open("div", ("class", "figures"));
        html.Trusted(figures);
    }

    /// <summary>The figures of an evaluation as HTML; empty where it has none of them.</summary>
    private static string FiguresOf(RewardEvaluation evaluation)
    {
        var html = new Html();
        AccuracyFigures.WriteBaselines(html, evaluation.Baselines);
        ChoiceFigures.WriteAttributes(html, evaluation.Metrics.Attributes);
        RewardFigures.WriteCalibration(html, evaluation.Calibration);
        RewardFigures.WriteLength(html, evaluation.Length);
        RewardFigures.WriteDistribution(html, evaluation.Rewards);
        ChoiceFigures.WriteBestOfN(html, evaluation.BestOfN);
        foreach (var table in evaluation.Tables)
            AccuracyFigures.WriteTable(html, table);
        ChoiceFigures.WriteAgreement(html, evaluation.HumanAgreement);
        ChoiceFigures.WriteTies(html, evaluation.Ties);
        ChoiceFigures.WriteReference(html, evaluation.Reference);
        ChoiceFigures.WriteConsistency(html, evaluation.Consistency);
        ChoiceFigures.WriteBenchmark(html, evaluation.Benchmark);
        return html.ToString();
    }

    private static IEnumerable<(string Id, string Title, Action<Html>? Write)> PairSections(RewardEvaluation? evaluation)
    {
        if (evaluation is { MostWrong: { Count: > 0 } wrong })
            yield return ("wrong", "Most wrong pairs", html =>
            {
                WriteHowToRead(
                    html, "The pairs whose worse answer has the highest reward over that of the better one: mistakes of the model, or of the data.");
                PairFigures.Write(html, "wrong", wrong);
            }
            );
        if (evaluation is { MostUncertain: { Count: > 0 } uncertain })
            yield return ("uncertain", "Most uncertain pairs", html =>
            {
                WriteHowToRead(html, "The pairs whose rewards are nearest to each other: what the model can't tell apart.");
                PairFigures.Write(html, "uncertain", uncertain);
            }
            );
    }

    private static void WriteHowToRead(Html html, string sentence) => html.Element(
        "p",
        sentence + " Every other token is shaded, special ones included; ◂ marks the last token, at which the reward is read.", ("class", "how"));

    private static string Digest(string text) => $"'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(text)))}'";

    /// <summary>With the line ends that a browser reads, of which the digest is.</summary>
    private static string Resource(string name)
    {
        using var reader = new StreamReader(typeof(HtmlReport).Assembly.GetManifestResourceStream(name)!);
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }
}
