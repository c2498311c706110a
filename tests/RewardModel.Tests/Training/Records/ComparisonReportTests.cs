using System.Xml.Linq;
using RewardModel.Training.Evaluation;
using RewardModel.Training.Records;

namespace RewardModel.Tests.Training.Records;

[Collection(nameof(RunsAlone))]
public sealed class ComparisonReportTests(BrowserFixture fixture) : IClassFixture<BrowserFixture>
{
    [Fact]
    public void The_header_says_which_model_is_better_on_what()
    {
        var page = PageOf(Sample("old", "new") with { LeftOutListCount = 2 });
        Assert.Equal("old · new", page.Root.Descendants("h1").Single().Value);
        Assert.Equal(
            "On the same 4,210 pairs of 1,203 prompts. 2 lists are left out, as one of the models can't read them.", page.OfClass("state").Single().Value);
        Assert.Equal(
            ["≈old can't be told from new: +1.2 points (−0.3 to +2.5)"], page.OfClass("comparisons").Single().Elements("li").Select(item => item.Value));
        Assert.EndsWith(
            "1 list is left out, as one of the models can't read it.",
            PageOf(Sample("old", "new") with { LeftOutListCount = 1 }).OfClass("state").Single().Value);
    }

    [Theory]
    [InlineData(0.01, 0.03, "✓old is better than new: +2.0 points (+1.0 to +3.0)", "better")]
    [InlineData(-0.03, -0.01, "✗old is worse than new: −2.0 points (−3.0 to −1.0)", "worse")]
    [InlineData(0, 0.04, "≈old can't be told from new: +2.0 points (0.0 to +4.0)", "open")]
    public void A_model_is_better_where_the_interval_has_no_0(double low, double high, string words, string kind)
    {
        var difference = new ModelDifference("old", "new", (low + high) / 2, low, high, 0.01, 3, 4, 0.9);
        var item = PageOf(Sample("old", "new") with { Differences = [difference] }).OfClass("comparisons").Single().Elements("li").Single();
        Assert.Equal((words, kind), (item.Value, (string?)item.Attribute("class")));
    }

    [Fact]
    public void Numbers_are_those_of_the_comparison()
    {
        var page = PageOf(Sample("old", "new"));
        Assert.Equal(
            [["old", "73.0 %", "70.9 to 75.1 %", "0.46", "67.0 %"], ["new", "72.0 %", "69.9 to 74.1 %", "0.44", "66.0 %"]],
            ReportPage.Rows(Section(page, "models")));
        Assert.Equal([["old − new", "+1.2", "−0.3 to +2.5", "0.047", "310 : 260", "81.2 %"]], ReportPage.Rows(Section(page, "differences")));
        Assert.Equal(["a", "70.0 %", "60.0 %", "30 : 20", "1,500", "old"], ReportPage.Rows(page.Figure("By group"))[0]);
        Assert.Equal(["b", "70.0 %", "60.0 %", "30 : 20", "1,500", ""], ReportPage.Rows(page.Figure("By group"))[1]);
        var pair = page.OfClass("pair").First();
        Assert.Equal(
            [["old", "−1", "1", "−2"], ["new", "0.5", "−0.25", "0.75"]],
            pair.Elements("table").Single().Element("tbody")!.Elements("tr").Select(row => row.Elements().Select(cell => cell.Value).ToArray()));
        Assert.Equal("disagreement-1", (string?)pair.Attribute("id"));
    }

    [Fact]
    public void Of_three_models_each_two_are_compared()
    {
        var page = PageOf(Sample("a", "b", "c"));
        Assert.Equal(3, page.OfClass("comparisons").Single().Elements("li").Count());
        Assert.Equal(["a − b", "a − c", "b − c"], ReportPage.Rows(Section(page, "differences")).Select(row => row[0]));
        // A pair that one model puts right and two put wrong would be counted twice.
        Assert.Equal(
            ["", "a", "b", "c", "Pairs", "Better"], page.Figure("By group").Descendants("thead").Single().Descendants("th").Select(cell => cell.Value));
        Assert.Equal(["a", "70.0 %", "60.0 %", "50.0 %", "1,500", "a"], ReportPage.Rows(page.Figure("By group"))[0]);
        Assert.Equal(3, page.OfClass("pair").First().Descendants("tbody").Single().Elements("tr").Count());
    }

    [Fact]
    public void What_a_comparison_does_not_have_is_left_out_with_its_heading()
    {
        var page = PageOf(Sample("old", "new") with { Tables = [], Disagreements = [] });
        Assert.Equal(["Models", "Differences"], page.Headings);
        Assert.Equal(["#models", "#differences"], page.Root.Descendants("nav").Single().Elements("a").Select(link => (string)link.Attribute("href")!));
        Assert.Empty(page.OfClass("pair"));
    }

    [Theory]
    [MemberData(nameof(HtmlReportTests.HostileTexts), MemberType = typeof(HtmlReportTests))]
    public void Texts_of_the_data_stay_texts_everywhere(string hostile)
    {
        var (page, harmless) = (PageOf(Hostile(hostile)), PageOf(Hostile("harmless")));
        Assert.Equal(
            harmless.Root.DescendantsAndSelf().Select(element => element.Name), page.Root.DescendantsAndSelf().Select(element => element.Name));
        Assert.DoesNotContain(page.Root.Descendants().Attributes(), attribute => attribute.Name.LocalName.StartsWith("on", StringComparison.Ordinal));
    }

    [BrowserTheory]
    [InlineData(400)]
    [InlineData(1400)]
    public async Task It_fits_its_window_asks_for_nothing_and_complains_of_nothing(int width)
    {
        using var directory = new TemporaryDirectory();
        await File.WriteAllTextAsync(directory["report.html"], ComparisonReport.Of(Sample("runs/a-model-with-a-long-name", "b", "c")));
        var page = await fixture.Browser.Open(width);
        await page.Load(directory["report.html"]);
        await page.Evaluate<bool>("(document.querySelectorAll('details').forEach(details => details.open = true), true)");
        Assert.Equal("", await page.Evaluate<string>("""
            [...document.querySelectorAll("main *")].filter(element =>
                element.getBoundingClientRect().right > innerWidth && !element.closest(".scrolls")).map(element => element.outerHTML.slice(0, 200)).join("\n")
            """));
        Assert.InRange(await page.Evaluate<int>("document.documentElement.scrollWidth"), 1, width);
        // The name of a row is broken between its words, if at all, and numbers stand beside their row's chart.
        Assert.InRange(await page.Evaluate<double>(
            "Math.max(...[...document.querySelectorAll('#where tbody th')].map(cell => cell.getBoundingClientRect().height))"), 10, 130);
        Assert.True(await page.Evaluate<bool>("""
            [...document.querySelectorAll(".dots tbody tr")].every(row =>
                new Set([...row.querySelectorAll("td")].map(cell => Math.round(cell.getBoundingClientRect().top))).size === 1)
            """));
        Assert.Equal([new Uri(directory["report.html"]).AbsoluteUri], page.Requests);
        Assert.Empty(page.Complaints);
    }

    [BrowserFact]
    public async Task Hostile_texts_run_nothing()
    {
        using var directory = new TemporaryDirectory();
        foreach (var text in (IEnumerable<string>)HtmlReportTests.HostileTexts)
        {
            await File.WriteAllTextAsync(directory["report.html"], ComparisonReport.Of(Hostile(text)));
            var page = await fixture.Browser.Open();
            await page.Load(directory["report.html"]);
            Assert.Empty(page.Complaints);
            Assert.Single(page.Requests);
        }
    }

    private static ReportPage PageOf(ModelComparison comparison) => new(ComparisonReport.Of(comparison));

    private static XElement Section(ReportPage page, string id) =>
        page.Root.Descendants("section").Single(section => (string?)section.Attribute("id") == id);

    private static ModelComparison Hostile(string text)
    {
        var sample = Sample(text, text + "2");
        return sample with
        {
            Tables = [new(text, [.. sample.Tables[0].Rows.Select(row => row with { Name = text, Winner = text })])],
            Disagreements = [new(SampleRecord.Pair("p", "b", "w") with { Source = text, Group = text }, sample.Disagreements[0].Rewards)],
        };
    }

    /// <summary>Models whose accuracies are 73 %, 72 % and so on, all compared with each other.</summary>
    private static ModelComparison Sample(params string[] names)
    {
        long[][] wins = [.. names.Select((_, i) => names.Select((_, j) => i == j ? 0L : i < j ? 30 : 20).ToArray())];
        ComparisonRow Row(string name, string? winner) => new(name, 1500, [.. names.Select((_, i) => 0.7 - 0.1 * i)], wins, winner);
        return new ModelComparison
        {
            Models = [.. names.Select((name, i) => new ComparedModel(name, SampleRecord.Metrics(0.73 - 0.01 * i)))],
            Differences =
            [
                .. from first in Enumerable.Range(0, names.Length)
                   from second in Enumerable.Range(first + 1, names.Length - first - 1)
                   select new ModelDifference(names[first], names[second], 0.0118, -0.0031, 0.0253, 0.0468, 310, 260, 0.8123),
            ],
            Tables =
            [
                new("group", [Row("a", names[0]), Row("b", winner: null)]),
                new("length-difference", [Row("better answer at least 2x as long", names[0]), Row("worse answer 1.25x to 2x as long", winner: null)]),
            ],
            Disagreements =
            [
                .. Enumerable.Range(1, 3).Select(i => new ModelDisagreement(
                    SampleRecord.Pair($"prompt {i}", "better", "worse"),
                    [.. names.Select((name, model) => new ComparedRewards(name, model == 0 ? -1 : 0.5f, model == 0 ? 1 : -0.25f))])),
            ],
            LeftOutListCount = 0,
        };
    }
}
