using System.Text.Json;
using System.Text.Json.Nodes;
using RewardModel.Scoring;
using RewardModel.Training;
using RewardModel.Training.Reporting;
using RewardModel.Training.Runs;
using RewardModel.Training.Sweeps;
using static TorchSharp.torch;

namespace RewardModel.Tests.Training.Sweeps;

[Collection(nameof(RunsAlone))]
public sealed class SweepRunTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public SweepRunTests()
    {
        using (var model = new ScoringModel(TinyModel.Create()))
        {
            // A row that no list has; a rate of 10 multiplies it by -99.
            using (no_grad())
                model.Transformer.CheckpointParameters.Single(pair => pair.Name == "model.embed_tokens.weight").Parameter[60, 0] = 1e37f;
            model.Save(directory["backbone"]);
        }
        File.WriteAllLines(directory["train.jsonl"], Enumerable.Range(0, 60).Select(i => JsonSerializer.Serialize(
            new { prompt_ids = new[] { 1 + i % 50, 3 }, answer_ids = new[] { new[] { 7, 2 }, [8, 9, 2], [3, 2] } })));
        Write("[1e-3, 10, 1e-2]");
    }

    private string Output => directory["sweep"];

    public void Dispose() => directory.Dispose();

    [Fact]
    public void Each_trial_is_a_run_with_its_options_and_one_that_diverges_fails_alone()
    {
        var result = Sweep().Run();
        Assert.Equal(["1e-3", "10", "1e-2"], result.Trials.Select(trial => trial.Values["learning-rate"]));
        Assert.Equal([false, true, false], result.Trials.Select(trial => trial.Failure is not null));
        Assert.Equal(2, result.Ranking.Count);
        Assert.Equal(result.Ranking[0].Metrics!.Accuracy, result.Trials.Max(trial => trial.Metrics?.Accuracy));
        Assert.Equal(
            Enumerable.Repeat(result.Trials[0].Metrics!.PromptCount, 2), result.Ranking.Select(trial => trial.Metrics!.PromptCount));

        new TrainingRun(TrainingRun.OptionsOf(result.Trials[2].Directory) with { Output = directory["alone"] }).Run();
        Assert.Equal(
            File.ReadAllBytes(directory["alone/model.safetensors"]), File.ReadAllBytes(Path.Combine(result.Trials[2].Directory, "model.safetensors")));
        Assert.Equal(1e-2, TrainingRun.OptionsOf(result.Trials[2].Directory).LearningRate);
    }

    [Fact]
    public void A_sweep_that_was_stopped_goes_on_where_it_was()
    {
        var expected = Sweep().Run();
        Directory.Move(Output, directory["straight"]);
        using var stop = new CancellationTokenSource();
        var stepCount = 0;
        Assert.Throws<OperationCanceledException>(() => Sweep().Run(
            new Reports(report =>
            {
                // In the third trial, as the second one diverges.
                if (report is StepReport { Step: 3 } && ++stepCount == 2)
                    stop.Cancel();
            }),
            stop.Token));
        var trained = new List<int>();
        var result = Sweep(resume: true).Run(new Reports(report =>
        {
            if (report is StepReport step)
                trained.Add(step.Step);
        }));
        Assert.Equal([4, 5], trained);
        Assert.Equal(expected.Trials.Select(trial => trial.Metrics), result.Trials.Select(trial => trial.Metrics));
        Assert.Equal(
            File.ReadAllBytes(directory["straight/trial-3/model.safetensors"]), File.ReadAllBytes(directory["sweep/trial-3/model.safetensors"]));
        Assert.Equal(3, JsonNode.Parse(File.ReadAllText(directory["sweep/sweep.json"]))!["trials"]!.AsArray().Count);
    }

    [Fact]
    public void An_output_that_is_in_use_or_of_another_plan_is_refused()
    {
        Sweep().Run();
        Assert.Contains("Add --resume", Assert.Throws<RunDirectoryException>(() => Sweep().Run()).Message);
        Write("[1e-3, 1e-2]");
        Assert.Contains("another plan", Assert.Throws<RunDirectoryException>(() => Sweep(resume: true).Run()).Message);
        Directory.CreateDirectory(directory["full"]);
        File.WriteAllText(directory["full/notes.txt"], "mine");
        Assert.Contains(
            "holds no sweep",
            Assert.Throws<RunDirectoryException>(() => new SweepRun(directory["sweep.yaml"], directory["full"]).Run()).Message);
        File.WriteAllText(directory["sweep/sweep.json"], "{");
        Assert.Contains("is damaged", Assert.Throws<RunDirectoryException>(() => Sweep(resume: true).Run()).Message);
    }

    [Fact]
    public void Invalid_options_of_a_trial_are_told_before_anything_is_trained()
    {
        Write("[1e-3, -1]");
        Assert.Contains("--learning-rate", Assert.Throws<OptionsException>(() => Sweep()).Message);
        File.WriteAllText(directory["sweep.yaml"], "vary: {epochs: [1, 2]}");
        Assert.Contains("names no data", Assert.Throws<RunFileException>(() => Sweep()).Message);
    }

    private SweepRun Sweep(bool resume = false) => new(directory["sweep.yaml"], Output, resume);

    private void Write(string rates) => File.WriteAllText(
        directory["sweep.yaml"],
        $$"""
        options:
          data: {{directory["train.jsonl"]}}
          backbone: {{directory["backbone"]}}
          weight-decay: 10
          steps: 5
          lists-per-step: 8
          eval-every: 2
          save-every: 2
          threads: 1
        vary:
          learning-rate: {{rates}}
        """);

    private sealed class Reports(Action<TrainingReport> seen) : IProgress<TrainingReport>
    {
        public void Report(TrainingReport value) => seen(value);
    }
}
