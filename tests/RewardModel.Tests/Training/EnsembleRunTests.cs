using System.Text.Json;
using System.Text.Json.Nodes;
using RewardModel.Scoring;
using RewardModel.Tests.Cli;
using RewardModel.Training;
using RewardModel.Training.Reporting;
using RewardModel.Training.Runs;

namespace RewardModel.Tests.Training;

[Collection(nameof(RunsAlone))]
public sealed class EnsembleRunTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public EnsembleRunTests()
    {
        File.WriteAllText(directory["config.json"], TinyModel.Config("llama").ToJsonString());
        File.WriteAllLines(directory["train.jsonl"], Enumerable.Range(0, 60).Select(i => JsonSerializer.Serialize(
            new { prompt_ids = new[] { 1 + i % 50, 3 }, answer_ids = new[] { new[] { 7, 2 }, [8, 9, 2], [3, 2] } })));
    }

    private TrainingRunOptions Options => new()
    {
        Data = directory["train.jsonl"],
        Config = directory["config.json"],
        Output = directory["all"],
        Seed = 9,
        Seeds = 3,
        Steps = 5,
        ListsPerStep = 8,
        LearningRate = 1e-3,
        Dropout = 0.1,
        EvaluationInterval = 2,
        SaveInterval = 2,
        BestBy = BestBy.Loss,
        Threads = 1,
    };

    public void Dispose() => directory.Dispose();

    [Fact]
    public void Each_seed_is_a_run_of_its_own_with_the_held_out_prompts_of_the_first()
    {
        var result = new EnsembleRun(Options).Run();
        Assert.Equal([9, 10, 11], result.Seeds);
        Assert.Equal([directory["all/seed-9"], directory["all/seed-10"], directory["all/seed-11"]], result.Directories);
        var digests = new[] { "HeldOutLists", "TrainLists" }.Select(lists => result.Directories
            .Select(member => (string)JsonNode.Parse(File.ReadAllText(Path.Combine(member, "training/fingerprint.json")))![lists]!)
            .Distinct().Count()).ToArray();
        Assert.Equal([1, 1], digests);
        foreach (var seed in new[] { 9, 11 })
        {
            var alone = Options with { Seeds = null, Seed = seed, SplitSeed = 9, Output = directory[$"alone-{seed}"] };
            new TrainingRun(alone).Run();
            Assert.Equal(
                File.ReadAllBytes(directory[$"alone-{seed}/model.safetensors"]), File.ReadAllBytes(directory[$"all/seed-{seed}/model.safetensors"]));
        }
        Assert.NotEqual(
            File.ReadAllBytes(directory["all/seed-9/model.safetensors"]), File.ReadAllBytes(directory["all/seed-10/model.safetensors"]));
        // Without it, the prompts would be others.
        new TrainingRun(Options with { Seeds = null, Seed = 11, Output = directory["other"] }).Run();
        Assert.NotEqual(
            File.ReadAllBytes(directory["other/model.safetensors"]), File.ReadAllBytes(directory["all/seed-11/model.safetensors"]));
        using var ensemble = RewardEnsemble.Load([directory["all"]]);
        Assert.Equal(3, ensemble.Members.Count);
    }

    [Fact]
    public void The_summary_has_mean_and_standard_deviation_over_the_seeds()
    {
        var (status, output, _) = CommandLineTests.Run(
            "train", "--data", Options.Data[0], "--config", Options.Config!, "--output", Options.Output, "--seeds", "3", "--steps", "3",
            "--learning-rate", "1e-4", "--threads", "1", "--best-by", "last");
        Assert.Equal(0, status);
        double[] losses =
        [
            .. Enumerable.Range(0, 3).Select(seed => (double)JsonNode.Parse(
                File.ReadAllLines(directory[$"all/seed-{seed}/training/log.jsonl"]).Last(line => line.Contains("metrics")))!["metrics"]!["loss"]!),
        ];
        var mean = (losses[0] + losses[1] + losses[2]) / 3;
        var deviation = Math.Sqrt(losses.Sum(loss => (loss - mean) * (loss - mean)) / 2);
        Assert.True(deviation > 1e-4);
        var summary = JsonNode.Parse(File.ReadAllText(directory["all/training/seeds.json"]))!;
        Assert.Equal("[0,1,2]", summary["seeds"]!.ToJsonString());
        Assert.Equal(mean, (double)summary["metrics"]!["loss"]!["mean"]!, 1e-12);
        Assert.Equal(deviation, (double)summary["metrics"]!["loss"]!["standard_deviation"]!, 1e-12);
        Assert.Equal(
            ["loss", "accuracy", "margin", "kendall_tau", "top_answer_accuracy"], summary["metrics"]!.AsObject().Select(metric => metric.Key));
        var lines = output.TrimEnd('\n').Split('\n');
        Assert.Equal(7, lines.Length);
        Assert.StartsWith("Seed 2, held-out lists, weights of step 3: loss ", lines[2]);
        Assert.StartsWith(
            FormattableString.Invariant($"Over 3 seeds, mean ± standard deviation: loss {mean:F4} ± {deviation:F4}  accuracy "), lines[3]);
        Assert.Equal($"Model: {directory["all/seed-2"]}", lines[6]);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(5)]
    [InlineData(8)]
    [InlineData(14)]
    public void Interrupted_after_any_step_it_is_resumed_as_a_whole(int stopAfter)
    {
        new EnsembleRun(Options with { Output = directory["straight"] }).Run();
        using var stop = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => new EnsembleRun(Options).Run(new StopAfter(stop, stopAfter), stop.Token));
        var written = File.ReadAllText(directory["all/training/run.yaml"]);
        // Other options are refused, and those of the trainings stay.
        Assert.Throws<RunDirectoryException>(() => new EnsembleRun(Options with { LearningRate = 1, Resume = true }).Run());
        Assert.Equal(written, File.ReadAllText(directory["all/training/run.yaml"]));

        var (status, _, errors) = CommandLineTests.Run("train", "--resume", directory["all"]);
        Assert.True(status == 0, errors);
        foreach (var seed in new[] { 9, 10, 11 })
            Assert.Equal(
                File.ReadAllBytes(directory[$"straight/seed-{seed}/model.safetensors"]),
                File.ReadAllBytes(directory[$"all/seed-{seed}/model.safetensors"]));
        Assert.Equal(
            File.ReadAllText(directory["straight/training/seeds.json"]), File.ReadAllText(directory["all/training/seeds.json"]));
    }

    [Fact]
    public void Seeds_are_added_to_an_ensemble()
    {
        new EnsembleRun(Options with { Seeds = 2 }).Run();
        var before = File.ReadAllBytes(directory["all/seed-10/model.safetensors"]);
        Assert.Equal([9, 10, 11], new EnsembleRun(TrainingRun.OptionsOf(directory["all"]) with { Seeds = 3, Resume = true }).Run().Seeds);
        Assert.Equal(before, File.ReadAllBytes(directory["all/seed-10/model.safetensors"]));
    }

    [Fact]
    public void Wrong_options_and_directories_are_told()
    {
        string Message(TrainingRunOptions options) => Assert.ThrowsAny<ArgumentException>(() => new EnsembleRun(options)).Message;
        Assert.Equal("The training options can't be used: Seeds (--seeds) is 1; expected 2 to 1000.", Message(Options with { Seeds = 1 }));
        Assert.Equal(
            "The training options can't be used: --seeds reads the data once for every seed, and standard input can be read once; give files.",
            Message(Options with { Data = "-" }));
        Assert.Equal(
            "The training options can't be used: SplitSeed (--split-seed) is 3; expected none, because --eval-fraction 0 holds nothing out.",
            Message(Options with { SplitSeed = 3, EvaluationFraction = 0 }));
        Assert.Equal(
            "The training options can't be used: SplitSeed (--split-seed) is 3; expected none, because --eval-data gives the held-out lists.",
            Message(Options with { SplitSeed = 3, EvaluationData = Options.Data }));
        Assert.Equal(
            "Seeds (--seeds) is not set; expected at least 2. TrainingRun does a single training.", Message(Options with { Seeds = null }));
        Assert.Equal(
            "Seeds (--seeds) is 3: several trainings, which EnsembleRun does; expected none.",
            Assert.Throws<ArgumentException>(() => new TrainingRun(Options)).Message);

        new EnsembleRun(Options with { Steps = 1, EvaluationFraction = 0 }).Run();
        Assert.Equal("{}", JsonNode.Parse(File.ReadAllText(directory["all/training/seeds.json"]))!["metrics"]!.ToJsonString());
        Assert.Equal(
            $"'{directory["all"]}' already holds trainings with several seeds. Add --resume to continue them, or give another --output.",
            Assert.Throws<RunDirectoryException>(() => new EnsembleRun(Options).Run()).Message);
        var one = Options with { Seeds = null, Steps = 1, Output = directory["one"] };
        new TrainingRun(one).Run();
        Assert.Equal(
            $"'{directory["one"]}' holds a training with one seed. Give another --output.",
            Assert.Throws<RunDirectoryException>(() => new EnsembleRun(one with { Seeds = 2, Resume = true }).Run()).Message);
    }

    [Fact]
    public void A_dry_run_is_that_of_one_training_and_writes_nothing()
    {
        var (status, output, _) = CommandLineTests.Run(
            "train", "--data", Options.Data[0], "--config", Options.Config!, "--output", Options.Output, "--seeds", "4", "--ema", "0.9", "--dry-run");
        Assert.Equal(0, status);
        Assert.EndsWith("\nseeds       4, one after the other: each of them as above\n", output);
        Assert.Contains("adamw 0.1 MB, average 0.0 MB, the rest activations\n", output);
        Assert.False(Directory.Exists(directory["all"]));
    }

    private sealed class StopAfter(CancellationTokenSource stop, int count) : IProgress<TrainingReport>
    {
        private int seen;

        public void Report(TrainingReport value)
        {
            if (value is StepReport && ++seen == count)
                stop.Cancel();
        }
    }
}
