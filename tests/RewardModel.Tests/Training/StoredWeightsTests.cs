using System.Text.Json;
using RewardModel.Checkpoints;
using RewardModel.Cli;
using RewardModel.Scoring;
using RewardModel.Training;
using RewardModel.Training.Reporting;
using RewardModel.Training.Runs;
using static TorchSharp.torch;

namespace RewardModel.Tests.Training;

/// <summary>Runs whose frozen weights are stored in fewer bits.</summary>
[Collection(nameof(RunsAlone))]
public sealed class StoredWeightsTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public StoredWeightsTests()
    {
        using (var backbone = new ScoringModel(TinyModel.Create()))
            backbone.Save(directory["backbone"]);
        File.WriteAllLines(directory["train.jsonl"], Enumerable.Range(0, 60).Select(i => JsonSerializer.Serialize(
            new { prompt_ids = new[] { 1 + i % 50, 3 }, answer_ids = new[] { new[] { 7, 2 }, [8, 9, 2], [3, 2] } })));
    }

    private TrainingRunOptions Options => new()
    {
        Data = directory["train.jsonl"],
        Backbone = directory["backbone"],
        Output = directory["model"],
        UnfrozenLayers = 1,
        FrozenWeights = WeightStorage.Nf4,
        Steps = 6,
        ListsPerStep = 8,
        LearningRate = 3e-3,
        EvaluationInterval = 2,
        SaveInterval = 2,
        Threads = 1,
    };

    public void Dispose() => directory.Dispose();

    /// <summary>QLoRA (arXiv 2305.14314): adapters beside weights of four bits.</summary>
    [Theory]
    [InlineData(WeightStorage.Bfloat16)]
    [InlineData(WeightStorage.Nf4)]
    public void Adapters_are_trained_beside_stored_weights_and_merged_into_the_original_ones(WeightStorage storage)
    {
        var run = Options with
        {
            UnfrozenLayers = null,
            LoraRank = 2,
            LoraTargets = "all-linear",
            FrozenWeights = storage,
            BestBy = BestBy.Last,
            EvaluationData = directory["train.jsonl"],
            Steps = 20,
        };
        var result = new TrainingRun(run).Run();
        Assert.True(File.Exists(directory["model/adapter_model.safetensors"]));
        Assert.False(File.Exists(directory["model/model.safetensors"]));
        using (var model = ScoringModel.Load(directory["model"]))
        {
            Assert.Equal(new FrozenWeights(storage, 0), model.Rule.FrozenWeights);
            Assert.All(model.Transformer.CheckpointParameters.Where(pair => pair.Name.EndsWith("proj.weight", StringComparison.Ordinal)),
                pair => Assert.True(pair.Parameter.isnan().all().item<bool>()));
            Assert.Equal(
                "The adapter can't be merged into weights that are stored as "
                + $"{storage}. Load the model without that, or merge it on disk (reward-model export --merge).",
                Assert.Throws<InvalidOperationException>(model.Transformer.MergeAdapter).Message);
            var rewards = model.Scorer().Score([.. RewardModel.Reading.RankedListReader.Read(directory["train.jsonl"]).TokenizedLists]);
            Assert.Equal(result.FinalEvaluation!.Metrics.RewardMean, rewards.SelectMany(list => list).Average(reward => (double)reward), 1e-6);
        }

        // Interrupted and resumed, it gives the same bytes.
        using (var stop = new CancellationTokenSource())
            Assert.Throws<OperationCanceledException>(() => new TrainingRun(run with { Output = directory["again"] }).Run(
                new StopAfter(7, stop), stop.Token));
        new TrainingRun(run with { Output = directory["again"], Resume = true }).Run();
        Assert.Equal(
            File.ReadAllBytes(directory["model/adapter_model.safetensors"]), File.ReadAllBytes(directory["again/adapter_model.safetensors"]));

        using var merged = ScoringModel.LoadMerged(directory["model"], baseDirectory: null);
        Assert.Null(merged.Rule.FrozenWeights);
        using CheckpointReader originals = CheckpointReader.Open(directory["backbone"]), adapter = CheckpointReader.OpenAdapter(directory["model"]);
        using var original = originals.Read("model.layers.0.mlp.down_proj.weight");
        const string name = "base_model.model.model.layers.0.mlp.down_proj";
        using Tensor a = adapter.Read($"{name}.lora_A.weight"), b = adapter.Read($"{name}.lora_B.weight");
        using var expected = original + 2 * b.mm(a);
        var found = merged.Transformer.CheckpointParameters.Single(pair => pair.Name == "model.layers.0.mlp.down_proj.weight").Parameter;
        Assert.True((found - expected).abs().max().item<float>() < 1e-6);
    }

    [Fact]
    public void A_module_in_full_beside_adapters_can_not_be_stored() => Assert.Equal(
        "The adapter can't be made: model.embed_tokens would be trained, and its weight is stored as Nf4.",
        Assert.Throws<ArgumentException>(
            () => new TrainingRun(Options with { UnfrozenLayers = null, LoraRank = 2, LoraModulesToSave = "embed_tokens" }).Run()).Message);

    [Theory]
    [InlineData(WeightStorage.Bfloat16)]
    [InlineData(WeightStorage.Int8)]
    [InlineData(WeightStorage.Nf4)]
    public void The_saved_model_scores_as_the_run_evaluated_it_and_has_the_backbones_frozen_weights(WeightStorage storage)
    {
        var run = Options with { FrozenWeights = storage, BestBy = BestBy.Last, EvaluationData = directory["train.jsonl"] };
        var result = new TrainingRun(run).Run();
        using (CheckpointReader before = CheckpointReader.Open(directory["backbone"]), after = CheckpointReader.Open(directory["model"]))
            foreach (var name in before.Names)
            {
                using Tensor expected = before.Read(name), found = after.Read(name);
                var isFrozen = name.Contains("embed_tokens", StringComparison.Ordinal) || name.Contains("layers.0.", StringComparison.Ordinal);
                Assert.Equal(isFrozen, expected.bytes.SequenceEqual(found.bytes));
            }

        using var model = ScoringModel.Load(directory["model"]);
        Assert.Equal(new FrozenWeights(storage, 1), model.Rule.FrozenWeights);
        var output = new StringWriter();
        Assert.Equal(0, CommandLine.Run(
            ["evaluate", "--model", directory["model"], "--data", directory["train.jsonl"], "--threads", "1", "--json"], output,
            TextWriter.Null));
        var evaluated = JsonDocument.Parse(output.ToString()).RootElement.GetProperty("metrics").GetProperty("loss").GetDouble();
        Assert.Equal(result.FinalEvaluation!.Metrics.Loss, evaluated, 1e-9);
    }

    [Fact]
    public void A_run_that_was_stopped_goes_on_to_the_same_bytes()
    {
        new TrainingRun(Options).Run();
        // As a run of as many steps, stopped after the second.
        using var stop = new CancellationTokenSource();
        var stopped = Options with { Output = directory["stopped"] };
        Assert.Throws<OperationCanceledException>(() => new TrainingRun(stopped).Run(new StopAfter(2, stop), stop.Token));
        new TrainingRun(stopped with { Resume = true }).Run();
        Assert.Equal(File.ReadAllBytes(directory["model/model.safetensors"]), File.ReadAllBytes(directory["stopped/model.safetensors"]));

        TrainingRun.Export(directory["stopped"], best: false, directory["exported"]);
        Assert.Equal(
            File.ReadAllText(directory["stopped/reward_model.json"]), File.ReadAllText(directory["exported/reward_model.json"]));
    }

    [Fact]
    public void A_run_is_not_resumed_with_other_storage_or_another_backbone()
    {
        new TrainingRun(Options).Run();
        var resumed = Options with { Resume = true, Steps = 8 };
        Assert.Contains(
            "it was started differently: the frozen weights were stored as nf4 and are now stored as int8. ",
            Assert.Throws<RunDirectoryException>(() => new TrainingRun(resumed with { FrozenWeights = WeightStorage.Int8 }).Run()).Message,
            StringComparison.Ordinal);
        Assert.Contains(
            "it was started differently: the frozen weights were stored as nf4 and are now stored as float32. ",
            Assert.Throws<RunDirectoryException>(() => new TrainingRun(resumed with { FrozenWeights = WeightStorage.Float32 }).Run()).Message,
            StringComparison.Ordinal);
        using (var other = new ScoringModel(TinyModel.Create(seed: 2)))
            other.Save(directory["backbone"]);
        Assert.Contains(
            "it was started differently: the frozen weights are not the same. ",
            Assert.Throws<RunDirectoryException>(() => new TrainingRun(resumed).Run()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void It_is_refused_where_it_has_no_effect_or_nothing_to_save()
    {
        Assert.Equal(
            "The training options can't be used: FrozenWeights (--frozen-weights) is Nf4; expected Float32 without --unfrozen-layers or --lora-rank, because "
            + "nothing is frozen.",
            Assert.Throws<OptionsException>(() => new TrainingRun(Options with { UnfrozenLayers = null })).Message);
        Assert.Equal(
            "The training options can't be used: FrozenWeights (--frozen-weights) is Nf4; expected Float32 with --config, because the model is "
            + "saved with the original weights of its --backbone.",
            Assert.Throws<OptionsException>(() => new TrainingRun(
                Options with { Backbone = null, Config = directory["backbone/config.json"] })).Message);
        Assert.Equal(WeightStorage.Float32, new TrainingRunOptions { Data = "", Output = "" }.FrozenWeights);
    }

    private sealed class StopAfter(int step, CancellationTokenSource source) : IProgress<TrainingReport>
    {
        public void Report(TrainingReport value)
        {
            if (value is StepReport report && report.Step == step)
                source.Cancel();
        }
    }
}
