using System.Diagnostics;
using System.Text.Json.Nodes;
using RewardModel.Training.Records;

namespace RewardModel.Tests.Training.Records;

/// <summary>A report as a browser shows it.</summary>
[Collection(nameof(RunsAlone))]
public sealed class HtmlReportBrowserTests(BrowserFixture fixture) : IClassFixture<BrowserFixture>, IDisposable
{
    private const string loss = "document.querySelector('[data-curve=loss]')";

    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [BrowserFact]
    public async Task It_asks_for_nothing_and_complains_of_nothing()
    {
        var page = await Open(SampleRecord.Full());
        await page.Evaluate<bool>("new Promise(done => setTimeout(() => done(true), 300))");
        Assert.Equal([new Uri(directory["report.html"]).AbsoluteUri], page.Requests);
        Assert.Empty(page.Complaints);
    }

    [BrowserFact]
    public async Task Its_policy_forbids_what_is_not_its_own()
    {
        var page = await Open(SampleRecord.Full(30));
        // What this asks for is not even asked for.
        var answer = await page.Evaluate<string>("fetch('https://example.com/').then(() => 'loaded', () => 'refused')");
        Assert.Equal("refused", answer);
        Assert.Equal("undefined", await page.Evaluate<string>(
            "(() => { const made = document.createElement('script'); made.textContent = 'window.ran = 1'; document.body.append(made); return typeof window.ran; })()"));
        Assert.Single(page.Requests);
        Assert.Contains(page.Complaints, complaint => complaint.Contains("connect-src", StringComparison.Ordinal));
        Assert.Contains(page.Complaints, complaint => complaint.Contains("script-src", StringComparison.Ordinal));
    }

    [BrowserFact]
    public async Task The_browser_sees_the_elements_that_were_written()
    {
        var record = SampleRecord.Full(30);
        await File.WriteAllTextAsync(directory["report.html"], HtmlReport.Of(record));
        var page = await fixture.Browser.Open();
        await page.Send("Emulation.setScriptExecutionDisabled", new JsonObject { ["value"] = true });
        await page.Load(directory["report.html"]);
        var counts = await page.Evaluate<string>("""
            JSON.stringify(Object.fromEntries([...document.querySelectorAll("*")].reduce((counts, element) =>
                counts.set(element.localName, (counts.get(element.localName) ?? 0) + 1), new Map())))
            """);
        var expected = new ReportPage(record).Root.DescendantsAndSelf().CountBy(element => element.Name.LocalName).ToDictionary();
        // That of report.js is not read as XML.
        expected["script"]++;
        Assert.Equal(
            expected.OrderBy(pair => pair.Key, StringComparer.Ordinal),
            JsonNode.Parse(counts)!.AsObject().Select(pair => KeyValuePair.Create(pair.Key, (int)pair.Value!)).OrderBy(pair => pair.Key, StringComparer.Ordinal));
    }

    [BrowserFact]
    public async Task Hostile_texts_make_no_elements_and_run_nothing()
    {
        var expected = 0;
        foreach (var text in (IEnumerable<string>)HtmlReportTests.HostileTexts)
        {
            var page = await Open(HtmlReportTests.Hostile(text.Replace(" ", "")));
            var count = await page.Evaluate<int>("document.querySelectorAll('*').length");
            expected = expected == 0 ? count : expected;
            Assert.Equal(expected, count);
            Assert.Empty(page.Complaints);
            Assert.Single(page.Requests);
        }
    }

    [BrowserFact]
    public async Task It_has_two_themes_and_is_light_on_paper()
    {
        var page = await Open(SampleRecord.Full(200));
        const string background = "getComputedStyle(document.documentElement).backgroundColor";
        await page.Emulate("screen", "light");
        Assert.Equal("rgb(255, 255, 255)", await page.Evaluate<string>(background));
        var light = await page.Screenshot(0, 1400, 900);
        await page.Emulate("screen", "dark");
        Assert.Equal("rgb(19, 23, 28)", await page.Evaluate<string>(background));
        Assert.NotEqual(light, await page.Screenshot(0, 1400, 900));
        await page.Emulate("print", "dark");
        Assert.Equal("rgb(255, 255, 255)", await page.Evaluate<string>(background));
        Assert.Equal("none", await page.Evaluate<string>("getComputedStyle(document.querySelector('nav')).display"));
        var pdf = (string)(await page.Send("Page.printToPDF"))["data"]!;
        Assert.StartsWith("%PDF", System.Text.Encoding.ASCII.GetString(Convert.FromBase64String(pdf)[..4]));
    }

    [BrowserTheory]
    [InlineData("light")]
    [InlineData("dark")]
    public async Task Letters_stand_out_from_what_is_behind_them(string scheme)
    {
        var page = await Open(SampleRecord.Full(200));
        await page.Emulate("screen", scheme);
        // WCAG 2.2, 1.4.3: 4.5 to 1, which is of the colours of the letters and of the nearest background that is opaque.
        var lowest = await page.Evaluate<string>("""
            (() => {
              const channels = color => color.match(/[\d.]+/g).map(Number);
              const luminance = color => channels(color).slice(0, 3).map(c => c / 255)
                .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4).reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
              const behind = element => {
                for (; element; element = element.parentElement) {
                  const color = channels(getComputedStyle(element).backgroundColor);
                  if (color.length === 3 || color[3] === 1)
                    return getComputedStyle(element).backgroundColor;
                }
              };
              let lowest = { ratio: 99 };
              for (const element of document.querySelectorAll("main *")) {
                if (![...element.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.data.trim()) || !element.getClientRects().length)
                  continue;
                const style = getComputedStyle(element);
                const [first, second] = [element instanceof SVGElement ? style.fill : style.color, behind(element)].map(luminance).sort((a, b) => b - a);
                const ratio = (first + 0.05) / (second + 0.05);
                if (ratio < lowest.ratio)
                  lowest = { ratio, text: element.textContent };
              }
              return JSON.stringify(lowest);
            })()
            """);
        Assert.True((double)JsonNode.Parse(lowest)!["ratio"]! >= 4.5, lowest);
    }

    [BrowserFact]
    public async Task A_text_can_be_selected()
    {
        var page = await Open(SampleRecord.Full(200));
        Assert.Equal("73.2 %", await page.Evaluate<string>(
            "(() => { getSelection().selectAllChildren(document.querySelector('.verdict strong')); return getSelection().toString(); })()"));
        Assert.Equal("auto", await page.Evaluate<string>("getComputedStyle(document.querySelector('.tokens')).userSelect"));
        // The mark at the end is no part of the text.
        Assert.DoesNotContain("reward", await page.Evaluate<string>(
            "(() => { getSelection().selectAllChildren(document.querySelectorAll('.tokens')[5]); return getSelection().toString(); })()"));
    }

    [BrowserTheory]
    [InlineData(400)]
    [InlineData(768)]
    [InlineData(1400)]
    public async Task Nothing_is_wider_than_the_window(int width)
    {
        var page = await Open(SampleRecord.Full(200), width);
        await page.Evaluate<bool>("(document.querySelectorAll('details').forEach(details => details.open = true), true)");
        Assert.Equal("", await page.Evaluate<string>("""
            [...document.querySelectorAll("main *")].filter(element =>
                element.getBoundingClientRect().right > innerWidth && !element.closest(".scrolls")).map(element => element.outerHTML.slice(0, 200)).join("\n")
            """));
        Assert.InRange(await page.Evaluate<int>("document.documentElement.scrollWidth"), 1, width);
    }

    [BrowserFact]
    public async Task Hovering_shows_the_numbers_of_a_step()
    {
        var record = SampleRecord.Full(200);
        var page = await Open(record);
        Assert.Equal("none", await page.Evaluate<string>($"getComputedStyle({loss}.querySelector('.tip')).display"));
        var (left, middle, width) = await PlotOf(page);
        // Steps 0 to 200 lie along the axis.
        await page.Mouse("mouseMoved", left + width * 120 / 200, middle);
        var tip = await page.Evaluate<string>($"{loss}.querySelector('.tip').innerText");
        Assert.Equal("step 120", tip.Split('\n')[0]);
        Assert.Equal(FormattableString.Invariant($"training {record.Steps[119].Loss:0.####}"), tip.Split('\n')[1]);
        Assert.Contains("held-out after step 116", tip);
        // The line is in every chart.
        Assert.Equal(6, await page.Evaluate<int>("[...document.querySelectorAll('.cross')].filter(line => line.style.display === '').length"));
        await page.Mouse("mouseMoved", 5, 5);
        Assert.Equal("none", await page.Evaluate<string>($"getComputedStyle({loss}.querySelector('.tip')).display"));
    }

    [BrowserFact]
    public async Task Dragging_zooms_all_curves_and_a_double_click_shows_all_steps_again()
    {
        var page = await Open(SampleRecord.Full(200));
        const string drawn = "[...document.querySelectorAll('.curve path')].map(path => path.getAttribute('d')).join()";
        const string ticks = "[...document.querySelectorAll('.curve .grid')].map(grid => grid.textContent).join()";
        const string learningRate = "[...document.querySelectorAll('[data-curve=learning-rate] .grid text:not(.left)')].map(text => text.textContent).join()";
        var (before, ticksBefore) = (await page.Evaluate<string>(drawn), await page.Evaluate<string>(ticks));
        var (left, middle, width) = await PlotOf(page);
        await Drag(page, left + width / 4, left + width / 2, middle);
        Assert.Equal("50,60,70,80,90,100", await page.Evaluate<string>(learningRate));
        Assert.Equal("Shown: steps 50 to 100.", await page.Evaluate<string>("document.getElementById('range').textContent"));
        Assert.False(await page.Evaluate<bool>("document.querySelector('#resolution button').hidden"));
        await Drag(page, left + width / 2, left, middle);
        Assert.Equal("50,55,60,65,70,75", await page.Evaluate<string>(learningRate));

        foreach (var count in new[] { 1, 2 })
        {
            await page.Mouse("mousePressed", left + width / 2, middle, count);
            await page.Mouse("mouseReleased", left + width / 2, middle, count);
        }
        await page.Mouse("mouseMoved", 5, 5);
        Assert.Equal(ticksBefore, await page.Evaluate<string>(ticks));
        Assert.Equal(before, await page.Evaluate<string>(drawn));
        Assert.True(await page.Evaluate<bool>("document.querySelector('#resolution button').hidden"));
        Assert.Empty(page.Complaints);
    }

    [BrowserFact]
    public async Task Keys_do_what_the_mouse_does()
    {
        var page = await Open(SampleRecord.Full(200));
        await page.Evaluate<bool>($"({loss}.querySelector('.plot').focus(), true)");
        await page.Press("ArrowRight");
        Assert.Equal("step 102", await page.Evaluate<string>($"{loss}.querySelector('.tip').innerText.split('\\n')[0]"));
        await page.Press("+");
        Assert.Equal("Shown: steps 52 to 152.", await page.Evaluate<string>("document.getElementById('range').textContent"));
        await page.Press("Escape");
        Assert.Equal("", await page.Evaluate<string>("document.getElementById('range').textContent"));
    }

    /// <summary>What is written and what the script draws are the same: axes with their names, lines and marks.</summary>
    [BrowserFact]
    public async Task The_script_draws_what_was_written()
    {
        foreach (var stepCount in new[] { 30, 700, 9_000, 123_457 })
        {
            var record = SampleRecord.Full(stepCount);
            var written = new ReportPage(record);
            var page = await Open(record);
            foreach (var figure in written.OfClass("curve"))
            {
                var drawn = $"document.querySelector('[data-curve={(string)figure.Attribute("data-curve")!}]')";
                Assert.Equal(
                    figure.Descendants("text").Select(text => $"{text.Value} {(string?)text.Attribute("x")} {(string?)text.Attribute("y")}"),
                    (await page.Evaluate<string>(
                        $"[...{drawn}.querySelectorAll('text')].map(text => `${{text.textContent}} ${{text.getAttribute('x')}} ${{text.getAttribute('y')}}`).join('\\n')"))
                    .Split('\n'));
                foreach (var path in figure.Descendants("path"))
                {
                    var name = (string)path.Attribute("class")!;
                    var places = Places((string)path.Attribute("d")!);
                    var drawnPlaces = Places(await page.Evaluate<string>($"{drawn}.querySelector('path.{name}').getAttribute('d')"));
                    Assert.Equal(places.Length, drawnPlaces.Length);
                    // Rounded to a tenth, once up and once down.
                    Assert.All(places.Zip(drawnPlaces), pair => Assert.Equal(pair.First, pair.Second, 0.11));
                }
                Assert.Equal(
                    figure.Descendants("circle").Count(), await page.Evaluate<int>($"{drawn}.querySelectorAll('circle').length"));
            }
        }
    }

    [BrowserFact]
    public async Task A_million_steps_load_and_zoom_at_once()
    {
        var page = await Open(SampleRecord.Full(1_000_000));
        Assert.Empty(page.Complaints);
        var (left, middle, width) = await PlotOf(page);
        var clock = Stopwatch.StartNew();
        await Drag(page, left + width / 4, left + width / 2, middle);
        await page.Evaluate<bool>("new Promise(done => requestAnimationFrame(() => done(true)))");
        Assert.InRange(clock.ElapsedMilliseconds, 0, 1000);
        Assert.StartsWith("Shown: steps 250,", await page.Evaluate<string>("document.getElementById('range').textContent"));
        // The script alone, without what the browser takes for a message.
        Assert.InRange(
            await page.Evaluate<double>(
                $"(() => {{ const start = performance.now(); {loss}.querySelector('.plot').dispatchEvent(new Event('dblclick')); {loss}.getBoundingClientRect(); "
                + "return performance.now() - start; })()"),
            0, 200);
    }

    [BrowserFact]
    public async Task A_watched_page_renews_itself_and_keeps_what_is_looked_at()
    {
        var (record, version) = (SampleRecord.Full(200) with { IsFinished = false }, "v1");
        await using var served = new ReportServerTests.Served(() => record, () => version);
        var page = await fixture.Browser.Open();
        await page.Load(served.Address);
        var (left, middle, width) = await PlotOf(page);
        await Drag(page, left + width / 4, left + width / 2, middle);
        await page.Evaluate<bool>("(document.getElementById('wrong-3').open = true, document.getElementById('wrong-1').open = false, window.kept = true, true)");
        var top = await page.Evaluate<double>("scrollY");
        (record, version) = (SampleRecord.Full(300) with { IsFinished = false, Name = "renamed" }, "v2");
        // The page looks every two seconds.
        var clock = Stopwatch.StartNew();
        while (await page.Evaluate<string>("document.querySelector('h1').textContent") != "renamed")
        {
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(20), "the page did not renew itself");
            await Task.Delay(50);
        }
        Assert.StartsWith("renamed", await page.Evaluate<string>("document.title"));
        Assert.Equal("Shown: steps 50 to 100.", await page.Evaluate<string>("document.getElementById('range').textContent"));
        Assert.True(await page.Evaluate<bool>("document.getElementById('wrong-3').open && !document.getElementById('wrong-1').open && window.kept"));
        Assert.Equal(top, await page.Evaluate<double>("scrollY"));
        await page.Mouse("mouseMoved", left + width / 3, middle);
        Assert.StartsWith("step ", await page.Evaluate<string>($"{loss}.querySelector('.tip').innerText"));
        Assert.Empty(page.Complaints);
        Assert.Empty(page.Requests.Select(address => address[served.Address.Length..]).Except(["", "version"]));
    }

    private static double[] Places(string path) =>
        [.. path.Split(['M', 'L', 'Z', ' ', 'h'], StringSplitOptions.RemoveEmptyEntries).Select(number => double.Parse(number, null))];

    private static async Task Drag(BrowserPage page, double from, double to, double y)
    {
        await page.Mouse("mouseMoved", from, y);
        await page.Mouse("mousePressed", from, y);
        await page.Mouse("mouseMoved", (from + to) / 2, y);
        await page.Mouse("mouseMoved", to, y);
        await page.Mouse("mouseReleased", to, y);
    }

    /// <summary>Where the curve of the loss is in the window: its left edge, its middle, and its width.</summary>
    private static async Task<(double Left, double Middle, double Width)> PlotOf(BrowserPage page)
    {
        var box = JsonNode.Parse(await page.Evaluate<string>(
            $"(() => {{ {loss}.scrollIntoView(); const box = {loss}.querySelector('svg').getBoundingClientRect(); "
            + "return JSON.stringify([box.left, box.top + box.height / 2, box.width]); })()"))!;
        return ((double)box[0]!, (double)box[1]!, (double)box[2]!);
    }

    private async Task<BrowserPage> Open(RunRecord record, int width = 1400)
    {
        await File.WriteAllTextAsync(directory["report.html"], HtmlReport.Of(record));
        var page = await fixture.Browser.Open(width);
        await page.Load(directory["report.html"]);
        return page;
    }
}
