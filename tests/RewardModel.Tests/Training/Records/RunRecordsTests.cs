using System.Text.Json;
using RewardModel.Training;
using RewardModel.Training.Checks;
using RewardModel.Training.Evaluation;
using RewardModel.Training.Optimization;
using RewardModel.Training.Records;
using RewardModel.Training.Reporting;
using RewardModel.Training.Runs;
using static RewardModel.Tests.Training.Checks.DataCheckTests;
using static RewardModel.Tests.Training.SomeReports;

namespace RewardModel.Tests.Training.Records;

[Collection(nameof(RunsAlone))]
public sealed class RunRecordsTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public void A_run_is_read_as_it_was_told()
    {
        WriteTask();
        var reports = new List<TrainingReport>();
        var result = new TrainingRun(Options) { Command = "reward-model train" }.Run(new Reports(reports.Add));
        var record = RunRecords.Read(directory["model"]);
        Assert.Equal("model", record.Name);
        Assert.Equal(reports.OfType<StepReport>(), record.Steps);
        Assert.Equal(reports.OfType<EvaluationReport>().Select(Text), record.Evaluations.Select(Text));
        Assert.Equivalent(Assert.Single(reports.OfType<RunReport>()), record.Run, strict: true);
        Assert.Equal(new EndReport(12, EndReason.Finished), record.End);
        Assert.IsType<RunReport>(reports.First(report => report is not PhaseReport));
        Assert.IsType<EndReport>(reports[^1]);
        Assert.True(record.IsFinished);
        Assert.Empty(record.ResumedAfter);
        Assert.True(record.StartTime < record.LastTime);
        Assert.Equal(result.Diagnoses, record.Diagnoses);
        Assert.Equal(60, record.Data!.ListCount);
        Assert.Equal(result.BestEvaluation!.Metrics.Accuracy, record.Evaluation!.Metrics.Accuracy);

        var run = record.Run!;
        Assert.Equal((0, 12, 55, 5), (run.Step, run.StepCount, run.ListCount, run.HeldOutListCount));
        Assert.Equal(run.ParameterCount, run.TrainedParameterCount);
        Assert.Equal($"Llama, newly initialised, of {directory["config.json"]}", run.Model);
        Assert.Equal("cpu, 1 thread", run.Device);
        Assert.Matches(@"^TorchSharp \d+\.\d+\.\d+, libtorch \d+\.\d+\.\d+.*, \.NET 10\..*$", run.Libraries);
        Assert.Matches("^[0-9a-f]{32}$", run.DataDigest);
        Assert.Equal("reward-model train", run.Command);
        Assert.Equal(
            new SortedDictionary<string, string>
            {
                ["data"] = directory["train.jsonl"],
                ["config"] = directory["config.json"],
                ["output"] = directory["model"],
                ["steps"] = "12",
                ["lists-per-step"] = "8",
                ["learning-rate"] = "0.003",
                ["schedule"] = "constant",
                ["eval-every"] = "4",
                ["save-every"] = "4",
                ["threads"] = "1",
            },
            new SortedDictionary<string, string>(run.Options.ToDictionary()));
    }

    [Fact]
    public void The_digest_is_that_of_the_lists_and_nothing_else()
    {
        WriteTask();
        string Digest(TrainingRunOptions options)
        {
            new TrainingRun(options).Run();
            return RunRecords.Read(options.Output).Run!.DataDigest;
        }
        var whole = Digest(Options);
        Assert.Equal(whole, Digest(Options with { Output = directory["other"], Seed = 5, SplitSeed = 0, LearningRate = 1e-3 }));
        Assert.NotEqual(whole, Digest(Options with { Output = directory["split"], SplitSeed = 5 }));
        File.AppendAllLines(directory["train.jsonl"], ["""{"prompt_ids": [60], "answer_ids": [[7, 2], [8, 2]]}"""]);
        Assert.NotEqual(whole, Digest(Options with { Output = directory["longer"] }));
    }

    [Theory]
    [InlineData(5, EndReason.Cancelled)]
    [InlineData(7, EndReason.Failed)]
    public void A_run_that_goes_on_has_both_beginnings_and_each_step_once(int step, EndReason reason)
    {
        WriteTask();
        using var stop = new CancellationTokenSource();
        var progress = new Reports(report =>
        {
            if (report is not StepReport || report.Step != step)
                return;
            if (reason == EndReason.Failed)
                throw new InvalidOperationException("the caller's own");
            stop.Cancel();
        });
        Assert.ThrowsAny<Exception>(() => new TrainingRun(Options).Run(progress, stop.Token));
        var stopped = RunRecords.Read(directory["model"]);
        Assert.Equal(
            new EndReport(step, reason) { Message = reason == EndReason.Failed ? "the caller's own" : null }, stopped.End);
        var kept = File.ReadLines(directory["model/training/log.jsonl"]).TakeWhile(line => !line.Contains("\"step\":5")).ToArray();

        TrainingRun.Resume(directory["model"]).Run();
        var record = RunRecords.Read(directory["model"]);
        Assert.Equal(Enumerable.Range(1, 12), record.Steps.Select(taken => taken.Step));
        Assert.Equal([0, 4, 8, 12], record.Evaluations.Select(evaluation => evaluation.Step));
        Assert.Equal([reason == EndReason.Failed ? 4 : 5], record.ResumedAfter);
        Assert.Equal(record.ResumedAfter[0], record.Run!.Step);
        Assert.Equal(EndReason.Finished, record.End!.Reason);
        Assert.Equal(stopped.StartTime, record.StartTime);
        Assert.Equal(kept, File.ReadLines(directory["model/training/log.jsonl"]).Take(kept.Length));
        Assert.Equal(60, record.Data!.ListCount);
    }

    [Fact]
    public void A_run_that_diverges_says_so()
    {
        WriteTask();
        var error = Assert.Throws<TrainingDivergedException>(() => new TrainingRun(Options with
        {
            // A weight is multiplied by -99 in each step.
            LearningRate = 10,
            WeightDecay = 10,
            Schedule = ScheduleKind.Constant,
            Steps = 60,
        }).Run());
        var record = RunRecords.Read(directory["model"]);
        Assert.Equal(new EndReport(record.End!.Step, EndReason.Diverged) { Message = error.Message }, record.End);
        Assert.Equal("diverged", record.Diagnoses[0].Id);
    }

    [Fact]
    public void Logs_of_versions_without_types_are_read()
    {
        WriteLog(
            [
                .. new TrainingReport[] { Evaluated(0), Step(1), Evaluated(1, isBest: true), Evaluated(1) with { AverageOf = [0, 1] } }.Select(
                    report => System.Text.RegularExpressions.Regex.Replace(Line(report), "^{\"type\":\"[a-z]*\",\"time\":\"[^\"]*\",", "{")),
            ]);
        Assert.StartsWith("{\"metrics\"", File.ReadLines(directory["run/training/log.jsonl"]).First());
        var record = RunRecords.Read(directory["run"]);
        Assert.Equal(Step(1), Assert.Single(record.Steps));
        Assert.Equal([0, 1, 1], record.Evaluations.Select(evaluation => evaluation.Step));
        Assert.Equal([0, 1], record.Evaluations[2].AverageOf!);
        Assert.Null(record.StartTime);
        Assert.Null(record.Run);
        Assert.False(record.IsFinished);
    }

    [Fact]
    public void A_run_that_is_being_written_is_read_up_to_its_last_whole_line()
    {
        var torn = Line(Step(2))[..60];
        WriteLog([Line(Run()), """{"type":"heartbeat","step":1}""", Line(Step(1)), torn], isWhole: false);
        using var writer = new FileStream(directory["run/training/log.jsonl"], FileMode.Append, FileAccess.Write, FileShare.Read);
        var record = RunRecords.Read(directory["run"]);
        Assert.Equal(Step(1), Assert.Single(record.Steps));
        Assert.False(record.IsFinished);
    }

    [Fact]
    public void A_run_that_went_on_after_its_end_has_not_ended()
    {
        WriteLog([Line(Run()), Line(Step(1)), Line(new EndReport(1, EndReason.Finished)), Line(Run(step: 1)), Line(Run(step: 1)), Line(Step(2))]);
        var record = RunRecords.Read(directory["run"]);
        Assert.Null(record.End);
        Assert.Equal([1], record.ResumedAfter);
    }

    [Fact]
    public void A_directory_without_a_run_is_told()
    {
        Assert.Equal(
            $"'{directory["nowhere"]}' holds no training run: there is no '{directory["nowhere/training/log.jsonl"]}'.",
            Assert.Throws<RunDirectoryException>(() => RunRecords.Read(directory["nowhere"])).Message);
        Directory.CreateDirectory(directory["seed-1/training"]);
        File.WriteAllText(directory["seed-1/training/log.jsonl"], "");
        Assert.Equal(
            $"'{directory.Path}' holds trainings with several seeds; give the directory of one of them, such as '{directory["seed-1"]}'.",
            Assert.Throws<RunDirectoryException>(() => RunRecords.Read(directory.Path)).Message);
    }

    [Theory]
    [InlineData("data.json", "")]
    [InlineData("data.json", "null")]
    [InlineData("evaluation.json", "{}")]
    public void A_damaged_file_is_told(string name, string text)
    {
        WriteLog([Line(Run())]);
        var file = directory[$"run/training/{name}"];
        File.WriteAllText(file, text);
        var message = Assert.Throws<RunDirectoryException>(() => RunRecords.Read(directory["run"])).Message;
        Assert.StartsWith($"'{file}' is damaged (", message);
        Assert.EndsWith("). Restore or delete it.", message);
    }

    [Fact]
    public void The_report_of_the_data_and_the_evaluation_are_read()
    {
        var data = Report(
            [
                List("What is the best of all teas?", ["A drink of leaves", " "], 1), List("Name a river.", ["The Ob is one", "The Rhine"], 4),
                List("What is the best of all teas?", ["Это горячий напиток", "A stone"], 2),
            ], heldOut: [2], new DataCheckSettings());
        var evaluation = new RewardEvaluation
        {
            Metrics = SomeReports.Metrics(),
            Baselines = [new("longer", 0.6, 400, 0.15, 0.1, 0.2)],
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
        WriteLog([Line(Run())]);
        File.WriteAllText(directory["run/training/data.json"], data.ToJson());
        File.WriteAllText(directory["run/training/evaluation.json"], evaluation.ToJson());
        var record = RunRecords.Read(directory["run"]);
        Assert.Equal(data.ToJson(), record.Data!.ToJson());
        Assert.Equal(data.Findings.Count, record.Data.Findings.Count);
        Assert.NotEmpty(record.Data.Findings);
        Assert.Equal(data.ToText(), record.Data.ToText());
        Assert.Equal(evaluation.ToJson(), record.Evaluation!.ToJson());
    }

    /// <summary>A million lines take 4 to 6 seconds, so that a hundred thousand within 5 leave slow machines some room.</summary>
    [Fact]
    public void Long_runs_are_read_in_seconds()
    {
        WriteLog([Line(Run()), .. Enumerable.Range(1, 100_000).Select(step => Line(Step(step)))]);
        var clock = System.Diagnostics.Stopwatch.StartNew();
        Assert.Equal(100_000, RunRecords.Read(directory["run"]).Steps.Count);
        Assert.InRange(clock.Elapsed.TotalSeconds, 0, 5);
    }

    private static string Line(TrainingReport report) =>
        System.Text.Encoding.UTF8.GetString(LogJson.LineOf(report, new DateTimeOffset(2026, 3, 4, 5, 6, 7, TimeSpan.Zero))).TrimEnd('\n');

    private static string Text(EvaluationReport evaluation) => JsonSerializer.Serialize(evaluation);

    private void WriteLog(string[] lines, bool isWhole = true)
    {
        Directory.CreateDirectory(directory["run/training"]);
        File.WriteAllText(directory["run/training/log.jsonl"], string.Join('\n', lines) + (isWhole ? "\n" : ""));
    }

    private TrainingRunOptions Options => new()
    {
        Data = directory["train.jsonl"],
        Config = directory["config.json"],
        Output = directory["model"],
        Steps = 12,
        ListsPerStep = 8,
        LearningRate = 3e-3,
        Schedule = RewardModel.Training.Optimization.ScheduleKind.Constant,
        EvaluationInterval = 4,
        SaveInterval = 4,
        Threads = 1,
    };

    private void WriteTask()
    {
        File.WriteAllText(directory["config.json"], TinyModel.Config("llama").ToJsonString());
        File.WriteAllLines(directory["train.jsonl"], Enumerable.Range(0, 60).Select(i => JsonSerializer.Serialize(
            new { prompt_ids = new[] { 1 + i % 50, 3 }, answer_ids = new[] { new[] { 7, 2 }, [8, 9, 2], [3, 2] } })));
    }

    private sealed class Reports(Action<TrainingReport> onReport) : IProgress<TrainingReport>
    {
        private readonly Lock reporting = new();

        public void Report(TrainingReport value)
        {
            lock (reporting)
                onReport(value);
        }
    }
}
