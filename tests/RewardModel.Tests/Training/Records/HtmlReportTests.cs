using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using System.Xml.Linq;
using RewardModel.Lists;
using RewardModel.Training.Checks;
using RewardModel.Training.Diagnosis;
using RewardModel.Training.Evaluation;
using RewardModel.Training.Records;
using RewardModel.Training.Reporting;

namespace RewardModel.Tests.Training.Records;

public class HtmlReportTests
{
    private static readonly ReportPage full = new(SampleRecord.Full());

    /// <summary>What no text of a report may do.</summary>
    public static TheoryData<string> HostileTexts => new()
    {
        "<script>alert(1)</script>", "</script><script>alert(1)</script>", "</style><script>alert(1)</script>", "\" onload=\"alert(1)", "' onclick='alert(1)",
        "<img src=x onerror=alert(1)>", "<!-- ", "]]>", "--><svg onload=alert(1)>", "&lt;b&gt;&amp;", "\u202eevil\u202c", "a\0b", "\ud800 and \udc00",
        "\u2028\u2029", "\ufffe\uffff", "\u001b[31m",
    };

    [Fact]
    public void It_has_all_parts_of_a_full_record()
    {
        string[] expected =
        [
            "Training", "Loss", "Accuracy", "Margin", "Learning rate", "Gradient norm", "Tokens per second",
            "Evaluation", "Better than what understands nothing", "Calibration", "Reward and length", "Differences of rewards", "Rewards",
            "Best of n answers", "By the number of answers", "By the distance of ranks", "By the difference of scores", "By the difference of lengths",
            "By file", "By group", "By language", "By truncation", "Agreement of people", "Ties", "Reference answers", "Consistency", "RewardBench: 73.8 %",
            "Most wrong pairs", "Most uncertain pairs", "Data", "What a lazy model gets", "Figures of the lists",
            "Run", "Options that differ from their defaults",
        ];
        Assert.Equal(expected, full.Headings);
        Assert.Equal(
            ["#curves", "#evaluation", "#wrong", "#uncertain", "#data", "#run"],
            full.Root.Descendants("nav").Single().Elements("a").Select(link => (string)link.Attribute("href")!));
        // Each figure says how it is read.
        Assert.All(full.Root.Descendants("figure"), figure => Assert.EndsWith(".", figure.Element("figcaption")!.Value));
    }

    [Fact]
    public void Ids_are_unique_and_every_link_has_its_place()
    {
        string[] ids = [.. full.Root.Descendants().Select(element => (string?)element.Attribute("id")).OfType<string>()];
        Assert.Equal(ids.Distinct(), ids);
        Assert.All(full.Root.Descendants("a"), link => Assert.Contains(((string)link.Attribute("href")!)[1..], ids));
    }

    [Fact]
    public void The_verdict_is_that_of_the_record()
    {
        Assert.Equal(
            "73.2 %held-out accuracy 95 % interval 71.0 to 75.3 %, on 4,210 pairs of 1,203 prompts", full.OfClass("verdict").Single().Value);
        Assert.Equal(
            ["✓better than chance: +23.2 points (+21.0 to +25.2)", "✓better than taking the longer answer: +11.8 points (+9.3 to +14.3)",
                "≈not clearly better than a linear model of characters: +1.1 points (−1.0 to +3.2)"],
            full.OfClass("comparisons").Single().Elements("li").Select(item => item.Value));
        Assert.Equal("Finished after 1,200 of 1,200 steps.", full.OfClass("state").Single().Value);
    }

    [Fact]
    public void A_model_that_is_worse_than_a_baseline_says_so()
    {
        var record = SampleRecord.Full(3) with
        {
            Evaluation = SampleRecord.Evaluation with { Baselines = [new("longer", 0.8, 10, -0.07, -0.09, -0.05)] },
        };
        Assert.Equal(
            ["✗worse than taking the longer answer: −7.0 points (−9.0 to −5.0)"],
            new ReportPage(record).OfClass("comparisons").Single().Elements("li").Select(item => item.Value));
    }

    [Fact]
    public void The_worst_diagnosis_comes_first()
    {
        var page = new ReportPage(SampleRecord.Empty with
        {
            Diagnoses =
            [
                new("a", DiagnosisSeverity.Note, "first"), new("b", DiagnosisSeverity.Error, "second"), new("c", DiagnosisSeverity.Warning, "third"),
            ],
        });
        Assert.Equal(["errorbsecond", "warningcthird", "noteafirst"], page.OfClass("box").Select(box => box.Value));
    }

    [Fact]
    public void Numbers_are_those_of_the_record()
    {
        var evaluation = SampleRecord.Evaluation;
        foreach (var (title, by) in new[] { ("By the number of answers", "answers"), ("By group", "group"), ("By truncation", "truncation") })
            Assert.Equal(
                evaluation.Tables.Single(table => table.By == by).Rows.Select(row => (string[])
                    [row.Name, Percent(row.Accuracy), $"{Percent(row.AccuracyLow)[..^2]} to {Percent(row.AccuracyHigh)}", $"{row.PairCount:N0}"]),
                ReportPage.Rows(full.Figure(title)));
        Assert.Equal(
            ["taking the longer answer", "61.3 %", "+11.8", "+9.3 to +14.3", "4,210"],
            ReportPage.Rows(full.Figure("Better than what understands nothing"))[1]);
        Assert.Equal(["8", "3.702", "2.914", "4.388", "0.686"], ReportPage.Rows(full.Figure("Best of n answers"))[3]);
        var calibration = ReportPage.Numbers(full.Figure("Calibration"));
        Assert.Equal(("6.1 %", "0.1871", "1.382"), (
            calibration["expected calibration error"], calibration["Brier score (0.25 knows nothing)"], calibration["best temperature (above 1: too sure)"]));
        var length = ReportPage.Numbers(full.Figure("Reward and length"));
        Assert.Equal(("61.3 %", "68.4 %", "0.4127", "0.2814"), (
            length["the better answer is the longer one"], length["the model prefers the longer one"], length["correlation within lists"],
            length["with the score held fixed"]));
        Assert.Equal("81.1 %", ReportPage.Numbers(full.Figure("Agreement of people"))["the majority is right"]);
        Assert.Equal("0.3104", ReportPage.Numbers(full.Figure("Ties"))["where rewards are tied within"]);
        Assert.Equal("0.3117", ReportPage.Numbers(full.Figure("Reference answers"))["mean reward"]);
        Assert.Equal(
            ["each space twice", "200", "0.4102", "2.312", "25.6 %", "7.4 %"], ReportPage.Rows(full.Figure("Consistency"))[2]);
        var run = ReportPage.Numbers(full.Root.Descendants("section").Single(section => (string?)section.Attribute("id") == "run"));
        Assert.Equal(("595,777,537, of which 595,777,537 are trained", "4 h 42 min", "400", "9e-6"), (
            run["parameters"], run["time"], run["resumed after step"], run["--learning-rate"]));
        var data = ReportPage.Numbers(full.Root.Descendants("section").Single(section => (string?)section.Attribute("id") == "data"));
        Assert.Equal("204 of 3120 (6.5 %)", data["contradictory pairs"]);
    }

    [Fact]
    public void Charts_show_the_numbers_at_their_places()
    {
        // Of the reliability diagram: from 50 to 100 % across, from 40 to 100 % down 200 pixels.
        var dots = full.Figure("Calibration").Descendants("circle").ToArray();
        Assert.Equal(SampleRecord.Evaluation.Calibration!.Bins.Count, dots.Length);
        Assert.All(dots.Zip(SampleRecord.Evaluation.Calibration.Bins), pair =>
        {
            Assert.Equal((pair.Second.Confidence - 0.5) * 200, Number(pair.First, "cx"), 0.01);
            Assert.Equal(200 * (1 - pair.Second.Accuracy) / 0.6, Number(pair.First, "cy"), 0.06);
        });
        // Bars left of 0 are wrong; their heights are the counts.
        var bars = full.Figure("Differences of rewards").Descendants("rect").ToArray();
        var bins = SampleRecord.Evaluation.Rewards!.Differences.Where(bin => bin.Count > 0).ToArray();
        Assert.Equal(bins.Length, bars.Length);
        Assert.All(bars.Zip(bins), pair =>
        {
            Assert.Equal(pair.Second.Low < 0 ? "wrong" : "right", (string?)pair.First.Attribute("class"));
            Assert.Equal(200 * pair.Second.Count / 500.0, Number(pair.First, "height"), 0.06);
        });
        // A dot plot is as wide as 96 % of its cell.
        var rows = full.Figure("By the distance of ranks").Descendants("circle").ToArray();
        Assert.Equal([0.672, 0.781, 0.869], rows.Select(dot => Math.Round(0.5 + 0.5 * (Number(dot, "cx") - 2) / 96, 3)));
    }

    [Fact]
    public void Pairs_show_each_token_and_where_the_reward_is_read()
    {
        var pair = new ShownPair(
            "a.jsonl:3", "jokes", new(["<s>", "Tell"], 0, [], 7), new(new(["No", "."], 0, [], 0), 5, -1.25f),
            new(new([.. Enumerable.Range(0, 300).Select(i => $" {i}")], 12, [" x", " y"], 3), 1, 2.5f));
        var page = new ReportPage(SampleRecord.Empty with { Evaluation = SampleRecord.Evaluation with { MostWrong = [pair], MostUncertain = [] } });
        var shown = page.OfClass("pair").Single();
        Assert.Equal("1−3.75<s>Tell", shown.Element("summary")!.Value);
        Assert.Equal("a.jsonl:3 · group jokes · prompt of 2 tokens · 7 tokens cut off before, at the maximum length", shown.Element("p")!.Value);
        var texts = page.OfClass("tokens").ToArray();
        Assert.Equal(["<s>Tell", "No.◂ reward −1.25"], texts.Take(2).Select(text => text.Value));
        Assert.Equal(["Tell", ".", "◂ reward −1.25"], texts.Take(2).SelectMany(text => text.Elements("span")).Select(token => token.Value));
        // The first 120 tokens, the others of the beginning folded, the gap, the end.
        Assert.Equal("180 tokens more", texts[2].Element("details")!.Element("summary")!.Value);
        Assert.Equal(
            string.Concat(Enumerable.Range(0, 120).Select(i => $" {i}")) + "180 tokens more" + string.Concat(Enumerable.Range(120, 180).Select(i => $" {i}"))
                + "12 tokens not shown x y◂ reward 2.5",
            texts[2].Value);
        Assert.Equal(
            ["score 5 · reward −1.25 · 2 tokens", "score 1 · reward 2.5 · 314 tokens · 3 tokens cut off before, at the maximum length"],
            page.OfClass("answer").Select(answer => answer.Element("p")!.Value));
        Assert.Equal(["Better answer", "Worse answerpreferred by the model"], page.OfClass("answer").Select(answer => answer.Element("h4")!.Value));
    }

    [Fact]
    public void What_a_record_does_not_have_is_left_out_with_its_heading()
    {
        var page = new ReportPage(SampleRecord.Empty);
        Assert.Empty(page.Headings);
        Assert.Equal(
            ["Evaluation of a reward model", "nothing yet", "There is no evaluation with pairs of answers yet."],
            page.Words.Split('\n', StringSplitOptions.RemoveEmptyEntries));

        var nothing = new RewardEvaluation
        {
            Metrics = SampleRecord.Metrics() with { KendallTau = double.NaN, TopAnswerAccuracy = double.NaN },
            Baselines = [],
            Tables = [],
            Length = null,
            Ndcg = double.NaN,
            BestOfN = null,
            Calibration = null,
            Ties = null,
            HumanAgreement = null,
            Rewards = null,
            Benchmark = null,
        };
        page = new ReportPage(SampleRecord.Empty with { Evaluation = nothing });
        Assert.DoesNotContain("NaN", page.Words);
        Assert.DoesNotContain("Kendall", page.Words);
        Assert.Empty(page.Root.Descendants("figure"));
        Assert.Empty(page.Headings);
    }

    [Fact]
    public void Every_part_may_be_missing_by_itself()
    {
        foreach (var property in typeof(RewardEvaluation).GetProperties().Where(property => property.Name != nameof(RewardEvaluation.Metrics)))
        {
            var evaluation = RewardEvaluation.FromJson(SampleRecord.Evaluation.ToJson());
            var type = property.PropertyType;
            property.SetValue(
                evaluation,
                type == typeof(double) ? double.NaN : type.IsGenericType ? Array.CreateInstance(type.GetGenericArguments()[0], 0) : null);
            var page = new ReportPage(SampleRecord.Empty with { Evaluation = evaluation });
            Assert.DoesNotContain("NaN", page.Words);
            Assert.All(page.Root.Descendants().Attributes(), attribute => Assert.DoesNotContain("NaN", attribute.Value));
        }
    }

    [Fact]
    public void Numbers_that_are_not_finite_are_nowhere_in_a_chart()
    {
        var steps = SampleRecord.Steps(50);
        steps[7] = steps[7] with { Loss = double.NaN, GradientNorm = double.PositiveInfinity, Accuracy = double.NaN };
        steps[8] = steps[8] with { GradientNorm = 1e300 };
        var evaluations = SampleRecord.Evaluations(50);
        evaluations[3] = evaluations[3] with
        {
            Metrics = evaluations[3].Metrics with { Accuracy = double.NaN, AccuracyLow = double.NaN, AccuracyHigh = double.NaN, Margin = double.NaN },
        };
        var evaluation = SampleRecord.Evaluation;
        evaluation = evaluation with
        {
            Calibration = evaluation.Calibration! with { Temperature = double.PositiveInfinity },
            Length = evaluation.Length! with { Correlation = double.NaN, Points = [new(3, float.NaN), new(4, 1)] },
        };
        var page = new ReportPage(SampleRecord.Full(50) with { Steps = steps, Evaluations = evaluations, Evaluation = evaluation });
        Assert.All(page.Root.Descendants().Attributes(), attribute => Assert.DoesNotMatch("NaN|Infinity|∞", attribute.Value));
        Assert.Contains("One step has no finite number and is left out.", page.Figure("Loss").Element("figcaption")!.Value);
        Assert.Contains("2 steps have no finite number and are left out.", page.Figure("Gradient norm").Element("figcaption")!.Value);
        Assert.Equal("∞", ReportPage.Numbers(page.Figure("Calibration"))["best temperature (above 1: too sure)"]);
    }

    [Theory]
    [MemberData(nameof(HostileTexts))]
    public void Texts_of_the_data_stay_texts_everywhere(string hostile)
    {
        var page = new ReportPage(Hostile(hostile));
        var harmless = new ReportPage(Hostile("harmless"));
        Assert.Equal(ElementsOf(harmless), ElementsOf(page));
        // In the record it stands at 25 places.
        var shown = Shown(hostile);
        Assert.True(page.Words.Split(shown).Length > 25, $"'{shown}' stands {page.Words.Split(shown).Length - 1} times");
        Assert.DoesNotContain(page.Root.Descendants().Attributes(), attribute => attribute.Name.LocalName.StartsWith("on", StringComparison.Ordinal));
    }

    [Fact]
    public void Letters_that_are_not_seen_are_named()
    {
        var html = new Html();
        html.Text("a\u202eb\0c\ud800d\u2028\r\n\t😀\ufffeé");
        Assert.Equal("a⟨U+202E⟩b⟨U+0000⟩c⟨U+D800⟩d⟨U+2028⟩⟨U+000D⟩\n\t😀⟨U+FFFE⟩é", html.ToString());
        var attribute = new Html();
        attribute.Empty("a", ("b", "\"'<>&"), ("c", null));
        Assert.Equal("<a b=\"&quot;&#39;&lt;&gt;&amp;\"/>", attribute.ToString());
    }

    [Fact]
    public void Answers_of_a_megabyte_make_no_large_report()
    {
        var words = SampleRecord.Pair("p", string.Concat(Enumerable.Repeat(" word", 200_000)), " no");
        var word = words with { Better = words.Better with { Tokens = new([new string('x', 1_000_000)], 0, [], 0) } };
        var page = new ReportPage(SampleRecord.Empty with { Evaluation = SampleRecord.Evaluation with { MostWrong = [words, word], MostUncertain = [] } });
        Assert.InRange(page.Text.Length, 10_000, 200_000);
        Assert.Contains("198,960 tokens not shown", page.Words);
        Assert.Contains("x… (999,800 characters more)", page.Words);
    }

    [Fact]
    public void It_loads_nothing_and_its_policy_lets_nothing_else_run()
    {
        Assert.DoesNotMatch(@"(src|href)=""(?!#)|url\(|@import|https?://(?!www\.w3\.org/2000/svg"")", full.Text);
        Assert.Empty(full.Root.Descendants().Attributes("style"));
        var policy = (string)full.Root.Descendants("meta").Single(meta => meta.Attribute("http-equiv") is not null).Attribute("content")!;
        static string DigestOf(string text) => Convert.ToBase64String(System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(text)));
        var script = full.Text[(full.Text.IndexOf("<script>", StringComparison.Ordinal) + 8)..full.Text.LastIndexOf("</script>", StringComparison.Ordinal)];
        var style = full.Root.Descendants("style").Single().Value;
        Assert.Equal(
            $"default-src 'none'; style-src 'sha256-{DigestOf(style)}'; script-src 'sha256-{DigestOf(script)}'; base-uri 'none'; form-action 'none'", policy);
        Assert.DoesNotContain("fetch(", script);
    }

    [Fact]
    public void Only_a_watched_page_may_ask_its_server()
    {
        var watched = HtmlReport.Of(SampleRecord.Empty, "17");
        Assert.Contains("connect-src &#39;self&#39;;", watched);
        Assert.Contains("<html lang=\"en\" data-version=\"17\">", watched);
        Assert.Contains("fetch(\"version\"", watched);
        Assert.DoesNotContain("connect-src", HtmlReport.Of(SampleRecord.Empty));
    }

    [Fact]
    public void A_million_steps_make_a_small_file_in_little_time()
    {
        var record = SampleRecord.Full(1_000_000);
        var clock = Stopwatch.StartNew();
        var page = HtmlReport.Of(record);
        Assert.InRange(clock.Elapsed.TotalSeconds, 0, 20);
        var without = HtmlReport.Of(record with { Steps = [] });
        Assert.InRange(Encoding.UTF8.GetByteCount(page) - Encoding.UTF8.GetByteCount(without), 100_000, 1_000_000);
        Assert.Contains("1,000,000 steps, of which this file has the mean, the lowest and the highest number of every 123.", page);
    }

    [Fact]
    public void The_curves_data_are_those_of_the_steps()
    {
        var record = SampleRecord.Full(20_000);
        var data = JsonNode.Parse(new ReportPage(record).Root.Descendants("script").Single().Value)!;
        var size = (int)data["size"]!;
        Assert.Equal(3, size);
        var losses = record.Steps.Select(step => step.Loss).Chunk(size).ToArray();
        foreach (var (name, expected) in new (string, Func<double[], double>)[]
            { ("low", bucket => bucket.Min()), ("high", bucket => bucket.Max()), ("mean", bucket => bucket.Average()) })
        {
            var numbers = Unpacked((string)data["curves"]!["loss"]![name]!);
            Assert.Equal(losses.Length, numbers.Length);
            Assert.All(losses.Zip(numbers), pair => Assert.Equal(expected(pair.First), pair.Second, 2e-5));
        }
        // The mean of all steps within the window, which is cut off at the ends.
        var smooth = Unpacked((string)data["curves"]!["loss"]!["smooth"]!);
        var half = losses.Length / 100;
        foreach (var bucket in new[] { 0, 5, 2000, losses.Length - 1 })
            Assert.Equal(losses[Math.Max(0, bucket - half)..Math.Min(losses.Length, bucket + half + 1)].SelectMany(all => all).Average(), smooth[bucket], 2e-5);
        Assert.Equal(
            record.Evaluations.Select(evaluation => evaluation.Metrics.Accuracy),
            data["curves"]!["accuracy"]!["points"]!["value"]!.AsArray().Select(value => (double)value!));
    }

    [Fact]
    public void Of_many_evaluations_some_are_drawn_with_the_best_and_the_last()
    {
        var evaluations = Enumerable.Range(0, 5000).Select(i => new EvaluationReport(i, SampleRecord.Metrics(), IsBest: i == 4321)).ToArray();
        var page = new ReportPage(SampleRecord.Full(5000) with { Evaluations = evaluations });
        var data = JsonNode.Parse(page.Root.Descendants("script").Single().Value)!;
        var steps = data["evaluations"]!.AsArray().Select(step => (int)step!).ToArray();
        Assert.Equal([.. Enumerable.Range(0, 385).Select(i => 13 * i).Append(4321).Append(4999).Distinct().Order()], steps);
        Assert.Equal(4321, steps[(int)data["best"]!]);
        Assert.Contains("One of 13 evaluations is drawn, and the best and the last one.", page.Words);
    }

    /// <summary>A record with a text at every place that text can come from.</summary>
    internal static RunRecord Hostile(string text)
    {
        var evaluation = SampleRecord.Evaluation;
        var pair = SampleRecord.Pair(text, text, text) with { Source = text, Group = text };
        AccuracyRow[] rows = [evaluation.Tables[0].Rows[0] with { Name = text }, evaluation.Tables[0].Rows[1] with { Name = text + "2" }];
        return SampleRecord.Full(30) with
        {
            Name = text,
            Run = SampleRecord.Run(30) with
            {
                Version = text,
                Libraries = text,
                Device = text,
                Model = text,
                DataDigest = text,
                Command = text,
                Options = new Dictionary<string, string> { [text] = text },
            },
            Data = SampleRecord.Data with
            {
                ListsByGroup = new Dictionary<string, int> { [text] = 1 },
                ListsByScript = new Dictionary<string, int> { [text] = 1 },
                Findings = [new(text, FindingSeverity.Error, 1, 0.5, text, [new SourceLine(text, 1)])],
                Baselines = [new(text, 0.5, 0.4, 0.6, 3)],
            },
            Evaluation = evaluation with
            {
                Baselines = [new(text, 0.5, 3, 0.1, 0.05, 0.2)],
                Tables = [new(text, rows)],
                Length = evaluation.Length! with { BetterIsLonger = rows[0] },
                Reference = evaluation.Reference! with { Name = text },
                Consistency = [evaluation.Consistency[0] with { Edit = text }],
                Benchmark = new(text, 0.5, [new(text, 0.5, 1, [new(text, 3, 0.5)])], [text]),
                MostWrong = [pair],
                MostUncertain = [pair],
            },
            Diagnoses = [new(text, DiagnosisSeverity.Error, text)],
        };
    }

    /// <summary>The text as it is shown: letters that are not seen are named.</summary>
    private static string Shown(string text)
    {
        var html = new Html();
        html.Text(text);
        return System.Net.WebUtility.HtmlDecode(html.ToString());
    }

    private static string[] ElementsOf(ReportPage page) =>
    [
        // Words that have spaces are several tokens in the samples.
        .. page.Root.Descendants().Where(element => !element.Ancestors().Any(above => (string?)above.Attribute("class") == "tokens"))
            .Select(element => $"{element.Name} {string.Join(' ', element.Attributes().Select(attribute => attribute.Name))}"),
    ];

    private static float[] Unpacked(string text)
    {
        var bytes = Convert.FromBase64String(text.Replace('-', '+').Replace('_', '/'));
        return [.. bytes.Chunk(3).Select(three => BitConverter.UInt32BitsToSingle((uint)(three[0] << 24 | three[1] << 16 | three[2] << 8)))];
    }

    private static double Number(XElement element, string attribute) =>
        double.Parse(((string)element.Attribute(attribute)!).TrimEnd('%'), CultureInfo.InvariantCulture);

    private static string Percent(double share) => (100 * share).ToString("0.0", CultureInfo.InvariantCulture) + " %";
}
