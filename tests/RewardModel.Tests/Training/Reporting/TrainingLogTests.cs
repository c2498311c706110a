using System.Text.Json.Nodes;
using RewardModel.Training.Reporting;
using static RewardModel.Tests.Training.SomeReports;

namespace RewardModel.Tests.Training.Reporting;

public sealed class TrainingLogTests : IDisposable
{
    private static readonly DateTimeOffset start = new(2026, 3, 4, 5, 6, 7, 89, TimeSpan.FromHours(2));

    private readonly TemporaryDirectory directory = new();

    private string LogFile => directory["training/log.jsonl"];

    public void Dispose() => directory.Dispose();

    [Fact]
    public void A_line_has_its_type_and_its_time_first()
    {
        Write(keepToStep: null, Run(), Evaluated(0), Step(1), new EndReport(1, EndReason.StoppedEarly));
        var lines = File.ReadAllLines(LogFile);
        Assert.Equal(["run", "evaluation", "step", "end"], lines.Select(line => (string)JsonNode.Parse(line)!["type"]!));
        Assert.All(lines, line => Assert.Equal(["type", "time"], JsonNode.Parse(line)!.AsObject().Select(member => member.Key).Take(2)));
        Assert.StartsWith("""{"type":"run","time":"2026-03-04T03:06:07.089Z",""", lines[0]);
        Assert.Equal("""{"type":"end","time":"2026-03-04T03:06:10.089Z","reason":"stopped-early","step":1}""", lines[3]);
        // A shell's quotes and other people's letters can be read.
        Assert.Contains(@"""command"":""reward-model train --output 'it'\\''s é'""", lines[0]);
    }

    [Fact]
    public void What_is_written_is_read_again()
    {
        TrainingReport[] reports =
        [
            Run(options: new() { ["learning-rate"] = "3e-05", ["data"] = "[\"a\",\"b\"]" }), Evaluated(0),
            Step(1, loss: double.NaN) with { LossTerms = new Dictionary<string, double> { ["hinge"] = 0.25, ["reward-l2"] = 0.25 } },
            Evaluated(1, isBest: true) with { AverageOf = [1, 2] }, new EndReport(1, EndReason.Diverged) { Message = "a \"word\"" },
        ];
        Write(keepToStep: null, reports);
        var read = LogLines.Read(LogFile).Select(line => LogJson.Parse(line.Span)!.Value).ToArray();
        Assert.Equal(Enumerable.Range(0, 5).Select(i => (DateTimeOffset?)start.AddSeconds(i)), read.Select(line => line.Time));
        Assert.Equivalent(reports, read.Select(line => line.Report), strict: true);
        Assert.Equal(reports.Select(report => report.GetType()), read.Select(line => line.Report.GetType()));
    }

    [Fact]
    public void How_far_something_is_has_no_line()
    {
        Write(keepToStep: null, new PhaseReport(0, TrainingPhase.Loading, 1, 2));
        Assert.False(File.Exists(LogFile));
    }

    [Fact]
    public void Earlier_lines_stay_byte_for_byte_and_later_ones_go()
    {
        // As another version wrote them: without type and time, or of types that this one doesn't know.
        string[] kept =
        [
            """{"metrics": {"loss": 0.7},  "is_best":true, "step":0}""", """{ "step" : 1, "loss": 6.0e-1 }""",
            """{"type":"other","step":2,"text":"caf\u00e9 é"}""", """{"type":"run","time":"2026-03-04T03:06:07.089Z","step":2}""",
        ];
        string[] removed =
        [
            """{"step":3,"loss":0.5}""", """{"type":"evaluation","average_of":[1,2],"step":2}""", """{"type":"end","step":3}""", "no JSON", "[2]", "",
            """{"step":"2"}""", """{"step":2,"lo""",
        ];
        Directory.CreateDirectory(directory["training"]);
        File.WriteAllText(LogFile, string.Join('\n', [kept[0], removed[0], kept[1], .. removed[1..6], .. kept[2..], .. removed[6..]]));
        Write(keepToStep: 2, Run(step: 2));
        var lines = File.ReadAllText(LogFile).Split('\n');
        Assert.Equal(kept, lines[..4]);
        Assert.Contains("\"step\":2", lines[4]);
        Assert.Equal("", lines[5]);
        Assert.Equal(6, lines.Length);
    }

    [Fact]
    public void Lines_longer_than_what_is_read_at_once_are_read_whole()
    {
        string[] lines = [new string('a', 200_000), "", "b", new string('c', 70_000), new string('d', 1 << 16)];
        File.WriteAllText(directory["lines"], string.Join('\n', lines));
        Assert.Equal(lines, LogLines.Read(directory["lines"]).Select(line => System.Text.Encoding.UTF8.GetString(line.Span)));
        File.WriteAllText(directory["lines"], "a\nb\n");
        Assert.Equal(2, LogLines.Read(directory["lines"]).Count());
    }

    [Theory]
    [InlineData("""{"loss":0.5,"step":3,"unknown":[1,{"a":2}]}""", typeof(StepReport))]
    [InlineData("""{"type":"step","loss":0.5,"step":3}""", typeof(StepReport))]
    [InlineData("""{"type":"end","time":"yesterday","reason":"failed","step":3}""", typeof(EndReport))]
    [InlineData("""{"type":"other","loss":0.5,"step":3}""", null)]
    [InlineData("""{"step":3}""", null)]
    [InlineData("""{"type":"step","time":"2026-03-04T03:06:07.089Z","loss":0.""", null)]
    [InlineData("""{"type":"step","time":"2026-03-04T03:06:07.089Z","loss":[]}""", null)]
    [InlineData("""{"loss":0.5,"step":3} {""", null)]
    [InlineData("""{"type":"evaluation","step":3,"is_best":true}""", null)]
    [InlineData("""{"type":"evaluation","step":3,"metrics":null}""", null)]
    [InlineData("""{"type":"\ud800","step":3}""", null)]
    [InlineData("""{"\ud800":1,"loss":0.5,"step":3}""", null)]
    [InlineData("null", null)]
    [InlineData("", null)]
    public void A_line_is_what_its_type_says_or_else_its_members(string line, Type? expected)
    {
        var report = LogJson.Parse(System.Text.Encoding.UTF8.GetBytes(line))?.Report;
        Assert.Equal(expected, report?.GetType());
        Assert.Equal(expected is null ? null : 3, report?.Step);
    }

    [Fact]
    public void A_line_that_is_no_UTF8_is_left_out()
    {
        byte[] line = [.. """{"type":"step","""u8, 0xff, .. "\"}"u8];
        Assert.Null(LogJson.Parse(line));
        Assert.Null(LogJson.StepOf("""{"\ud800":1}"""u8));
    }

    private void Write(int? keepToStep, params TrainingReport[] reports)
    {
        using var log = new TrainingLog(LogFile, keepToStep);
        for (var i = 0; i < reports.Length; i++)
            log.Write(reports[i], start.AddSeconds(i));
    }
}
