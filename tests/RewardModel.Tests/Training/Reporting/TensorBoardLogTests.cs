using System.Text.Json;
using System.Text.Json.Nodes;
using RewardModel.Training;
using RewardModel.Training.Reporting;
using static RewardModel.Tests.Training.SomeReports;

namespace RewardModel.Tests.Training.Reporting;

[Collection(nameof(RunsAlone))]
public sealed class TensorBoardLogTests : IDisposable
{
    private static readonly DateTimeOffset start = new(2026, 3, 4, 5, 6, 7, 89, TimeSpan.Zero);

    private readonly TemporaryDirectory directory = new();

    private string[] Files => [.. Directory.GetFiles(directory["tensorboard"]).Order(StringComparer.Ordinal)];

    public void Dispose() => directory.Dispose();

    /// <summary>RFC 3720, section B.4.</summary>
    [Fact]
    public void The_tests_know_CRC_32C() => Assert.Equal(0xe3069283, EventFiles.Checksum("123456789"u8));

    [Fact]
    public void Steps_and_evaluations_are_scalars_with_their_steps_and_times()
    {
        Write(null, Run(), Evaluated(0, loss: 0.7), Step(1, loss: 0.6), Step(300) with { LossTerms = new Dictionary<string, double> { ["hinge"] = 0.25 } });
        var events = EventFiles.Read(Assert.Single(Files)).ToArray();
        Assert.Equal("brain.Event:2", events[0].FileVersion);
        Assert.All(events[1..], found => Assert.Null(found.FileVersion));
        Assert.All(events, found => Assert.Null(found.SessionStatus));
        Assert.Equal([0, 0, 1, 300], events.Select(found => found.Step));
        Assert.Equal([0, 1, 2, 3], events.Select(found => Math.Round(found.WallTime - start.ToUnixTimeMilliseconds() / 1000.0, 3)));
        Assert.Equal(
            [
                ("held_out/loss", 0.7f), ("held_out/accuracy", 0.75f), ("held_out/margin", 0.75f), ("held_out/kendall_tau", 0.5f),
                ("held_out/top_answer_accuracy", 0.75f), ("held_out/reward_mean", 0.25f), ("held_out/reward_standard_deviation", 1.25f),
            ],
            events[1].Scalars);
        Assert.Equal(
            [
                ("train/loss", 0.6f), ("train/accuracy", 0.7f), ("train/learning_rate", 1e-5f), ("train/gradient_norm", 1.5f),
                ("train/tokens_per_second", 5678.5f), ("train/epoch", 0.1f),
            ],
            events[2].Scalars);
        Assert.Equal(("train/loss_terms/hinge", 0.25f), events[3].Scalars[^1]);
    }

    /// <summary>The classes that Google's compiler made of event.proto.</summary>
    [Fact]
    public void TensorFlows_own_messages_are_these()
    {
        Write(keepToStep: 4, Step(5, loss: 0.6));
        var bytes = File.ReadAllBytes(Assert.Single(Files));
        var messages = new List<Tensorboard.Event>();
        for (var position = 0; position < bytes.Length;)
        {
            var length = (int)BitConverter.ToInt64(bytes, position);
            messages.Add(new Tensorboard.Event());
            messages[^1].MergeFrom(new Google.Protobuf.CodedInputStream(bytes, position + 12, length));
            position += 16 + length;
        }
        Assert.Equal("brain.Event:2", messages[0].FileVersion);
        Assert.Equal((5, Tensorboard.SessionLog.Types.SessionStatus.Start), (messages[1].Step, messages[1].SessionLog.Status));
        Assert.Equal((5, 0.6f, "train/loss"), (messages[2].Step, messages[2].Summary.Value[0].SimpleValue, messages[2].Summary.Value[0].Tag));
        Assert.Equal(start.ToUnixTimeMilliseconds() / 1000.0, messages[2].WallTime);
    }

    [Fact]
    public void The_average_of_weights_is_of_no_step()
    {
        Write(null, Evaluated(1) with { AverageOf = [0, 1] }, new EndReport(1, EndReason.Finished));
        Assert.Single(EventFiles.Read(Assert.Single(Files)));
    }

    [Fact]
    public void A_new_run_leaves_nothing_of_an_older_one()
    {
        Write(null, Step(1), Step(2));
        Write(keepToStep: 1, Step(2));
        Assert.Equal(2, Files.Length);
        Write(null, Step(7));
        Assert.Equal([7], EventFiles.Shown(Files).Select(point => point.Step).Distinct());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    public void A_run_that_is_resumed_shows_what_its_log_says(int torn)
    {
        File.WriteAllText(directory["config.json"], TinyModel.Config("llama").ToJsonString());
        File.WriteAllLines(directory["train.jsonl"], Enumerable.Range(0, 60).Select(i => JsonSerializer.Serialize(
            new { prompt_ids = new[] { 1 + i % 50, 3 }, answer_ids = new[] { new[] { 7, 2 }, [8, 9, 2], [3, 2] } })));
        var options = new TrainingRunOptions
        {
            Data = directory["train.jsonl"],
            Config = directory["config.json"],
            Output = directory["model"],
            Steps = 9,
            ListsPerStep = 8,
            EvaluationInterval = 2,
            SaveInterval = 4,
            TensorBoard = true,
            Threads = 1,
        };
        // Ends after step 7, as a kill does, with the state of step 4.
        Assert.Throws<InvalidOperationException>(() => new TrainingRun(options).Run(new Failing(atStep: 7)));
        var first = Assert.Single(Directory.GetFiles(directory["model/training/tensorboard"]));
        using (var file = File.OpenWrite(first))
            file.SetLength(file.Length - torn);
        new TrainingRun(options with { Resume = true }).Run();

        var files = Directory.GetFiles(directory["model/training/tensorboard"]).Order(StringComparer.Ordinal).ToArray();
        Assert.Equal(2, files.Length);
        if (torn > 0)
        {
            // TensorBoard stops in a file at what is not whole, and goes on with the next one.
            var whole = WholeLength(first);
            using var file = File.OpenWrite(first);
            file.SetLength(whole);
        }
        var shown = EventFiles.Shown(files);
        var log = File.ReadLines(directory["model/training/log.jsonl"]).Select(line => JsonNode.Parse(line)!).ToArray();
        var expected = log.SelectMany(line => (string)line["type"]! switch
        {
            "step" => new[] { "loss", "accuracy", "learning_rate", "gradient_norm", "tokens_per_second", "epoch" }
                .Select(name => ($"train/{name}", (long)line["step"]!, (float)(double)line[name]!, TimeOf(line))),
            "evaluation" => new[] { "loss", "accuracy", "margin", "kendall_tau", "top_answer_accuracy", "reward_mean", "reward_standard_deviation" }
                .Select(name => ($"held_out/{name}", (long)line["step"]!, (float)(double)line["metrics"]![name]!, TimeOf(line))),
            _ => [],
        }).ToArray();
        Assert.Equal(9 * 6 + 6 * 7, expected.Length);
        Assert.Equal(expected.Select(point => (point.Item1, point.Item2, point.Item3)), shown.Select(point => (point.Tag, point.Step, point.Value)));
        // The log has milliseconds.
        Assert.All(expected.Zip(shown), pair => Assert.InRange(pair.Second.Time - pair.First.Item4, -1e-6, 1e-3));
    }

    private static double TimeOf(JsonNode line) => DateTimeOffset.Parse((string)line["time"]!).ToUnixTimeMilliseconds() / 1000.0;

    private static long WholeLength(string path)
    {
        var bytes = File.ReadAllBytes(path);
        var position = 0L;
        while (position + 12 <= bytes.Length && position + 16 + BitConverter.ToInt64(bytes, (int)position) is var next && next <= bytes.Length)
            position = next;
        return position;
    }

    private void Write(int? keepToStep, params TrainingReport[] reports)
    {
        using var log = new TensorBoardLog(directory["tensorboard"], keepToStep);
        for (var i = 0; i < reports.Length; i++)
            log.Write(reports[i], start.AddSeconds(i));
    }

    private sealed class Failing(int atStep) : IProgress<TrainingReport>
    {
        public void Report(TrainingReport value)
        {
            if (value is StepReport && value.Step == atStep)
                throw new InvalidOperationException("the caller's own");
        }
    }
}
