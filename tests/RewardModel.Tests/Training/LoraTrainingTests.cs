using System.Runtime.InteropServices;
using System.Text.Json;
using RewardModel.Adapters;
using RewardModel.Cli;
using RewardModel.Distributed;
using RewardModel.Lists;
using RewardModel.Scoring;
using RewardModel.Training;
using RewardModel.Training.Distributed;
using RewardModel.Training.Optimization;
using RewardModel.Training.Reporting;
using RewardModel.Training.Runs;
using static TorchSharp.torch;

namespace RewardModel.Tests.Training;

/// <summary>Alone, because torch's default generator and its count of tensors are those of the whole process.</summary>
[Collection(nameof(RunsAlone))]
public sealed class LoraTrainingTests : IDisposable
{
    private static readonly TrainingOptions options = new()
    {
        Steps = 6,
        LearningRate = 3e-3,
        Schedule = ScheduleKind.Constant,
        ListsPerStep = 5,
        EvaluationInterval = 2,
        SaveInterval = 2,
        LoraRank = 3,
        LoraTargets = LoraOptions.AllLinearTargets,
    };

    private static readonly TokenizedList[] lists =
        [.. Enumerable.Range(0, 17).Select(i => TinyModel.List((ulong)i, i % 6, 3, 1 + i % 4, 5))];
    private static readonly TokenizedList[] heldOut = [.. Enumerable.Range(100, 6).Select(i => TinyModel.List((ulong)i, 4, 3, 4))];

    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Theory]
    [InlineData("llama")]
    [InlineData("gpt2")]
    public void It_learns_and_frozen_weights_stay_as_they_were(string architecture)
    {
        using var model = TinyModel.Create(architecture);
        var before = Bits(model);
        // The head and random layers alone learn the order less well.
        var run = new TrainingOptions { Steps = 200, LearningRate = 1e-2, ListsPerStep = 32, LoraRank = 8, LoraTargets = LoraOptions.AllLinearTargets };
        new Trainer(model, run, TinyModel.OrderTask(400, seed: 1), []).Train();
        var rewards = new RewardScorer(model).Score(TinyModel.OrderTask(200, seed: 2));
        Assert.InRange(rewards.Count(pair => pair[0] > pair[1]), 190, 200);
        Assert.All(before.Where(pair => pair.Key != "score.weight"), pair => Assert.Equal(pair.Value, Bits(model)[pair.Key]));
        Assert.NotEqual(before["score.weight"], Bits(model)["score.weight"]);
        Assert.Equal(8, model.Adapter!.Rank);
    }

    [Fact]
    public void Frozen_weights_have_no_gradients_and_no_moments()
    {
        using var model = TinyModel.Create();
        model.AddAdapter(new LoraOptions(2));
        using var optimizer = new AdamW(model.TrainedParameters.Select(WeightPart.Of), new AdamWOptions());
        Assert.Equal(2 * (2 * 8 + 1), optimizer.State().Count());
        using var trained = new TrainedWeights(model, SingleProcess.Instance);
        new StepGradients(model, trained, RewardModel.Ranking.RankingLoss.ByName("log-sigmoid"), options)
            .Add(lists, 0, optimizer.SquaredGradientNorm);
        Assert.All(model.CheckpointParameters, pair => Assert.Equal(pair.Name == "score.weight", pair.Parameter.grad is not null));
        // B begins at 0, so at first it alone has a slope.
        Assert.All(model.ModelAdapter!.Parameters, pair => Assert.Equal(
            pair.Name.Contains("lora_B", StringComparison.Ordinal), pair.Parameter.grad!.abs().max().item<float>() > 0));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.2)]
    public void Micro_batches_and_checkpointing_are_exact(double dropout)
    {
        var run = options with { LoraDropout = dropout };
        var (whole, wholeReports) = Train(run);
        var (checkpointed, _) = Train(run with { ActivationCheckpointing = true });
        Assert.Equal(whole, checkpointed);
        var (parts, partReports) = Train(run with { MaxTokensPerBatch = 6 });
        var (again, _) = Train(run with { MaxTokensPerBatch = 6, ActivationCheckpointing = true });
        Assert.Equal(parts, again);
        if (dropout > 0)
            Assert.NotEqual(whole, Train(run with { LoraDropout = 0 }).Weights);
        foreach (var (expected, found) in wholeReports.Zip(partReports))
        {
            Assert.Equal(expected.Loss, found.Loss, 1e-6);
            Assert.Equal(expected.GradientNorm, found.GradientNorm, 1e-5);
        }
        Assert.Equal(0, Numbers.LargestDifference(whole, parts), 2e-4);
    }

    [Fact]
    public void The_seed_decides_on_the_adapters()
    {
        Assert.Equal(Train(options).Weights, Train(options).Weights);
        Assert.NotEqual(Train(options).Weights, Train(options with { Seed = 1 }).Weights);
    }

    [Fact]
    public void The_learning_rate_is_1e_4_unless_it_is_given()
    {
        using var model = TinyModel.Create();
        Assert.Equal(1e-4, new Trainer(model, options with { LearningRate = null }, lists, []).LearningRate);
        model.AddAdapter(new LoraOptions(2));
        Assert.Equal(1e-4, new Trainer(model, options with { LearningRate = null, LoraRank = null, LoraTargets = null }, lists, []).LearningRate);
    }

    [Fact]
    public void No_tensors_are_left_behind_by_a_step()
    {
        using var model = TinyModel.Create();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var counts = new Dictionary<int, long>();
        var run = options with { Steps = 30, LoraDropout = 0.1, ActivationCheckpointing = true };
        new Trainer(model, run, lists, heldOut, progress: new Steps(step => counts[step.Step] = Tensor.TotalCount)).Train();
        Assert.Equal(counts[2], counts[15]);
        Assert.Equal(counts[2], counts[30]);
    }

    [Fact]
    public void An_adapter_is_asked_for_once()
    {
        using var model = TinyModel.Create();
        model.AddAdapter(new LoraOptions(2));
        Assert.Equal(
            "LoraRank (--lora-rank) is 3; the model has an adapter of rank 2 already, which would be trained further. Leave the option out, or "
            + "merge that adapter first (reward-model export --merge, MergeAdapter).",
            Assert.Throws<ArgumentException>(() => new Trainer(model, options, lists, [])).Message);
        Assert.StartsWith(
            "UnfrozenLayers (--unfrozen-layers) is 1; the model has an adapter, beside which no layer is trained.",
            Assert.Throws<ArgumentException>(() => new Trainer(model, new TrainingOptions { UnfrozenLayers = 1 }, lists, [])).Message,
            StringComparison.Ordinal);
        using var plain = TinyModel.Create();
        Assert.StartsWith(
            "No linear layer of the transformer has a name that ends with 'query'; expected attention, all-linear, q_proj",
            Assert.Throws<ArgumentException>(() => new Trainer(plain, options with { LoraTargets = "query" }, lists, [])).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_that_does_not_begin_leaves_the_model_as_it_was()
    {
        var run = new RunDirectory(directory["run"]);
        using (var first = TinyModel.Create())
            new Trainer(first, options, lists, heldOut, run).Train();
        using var model = TinyModel.Create();
        Assert.Throws<RunDirectoryException>(() => new Trainer(model, options with { LoraRank = 4 }, lists, heldOut, run).Train(resume: true));
        Assert.Null(model.Adapter);
        Assert.Equal(model.CheckpointParameters.Count(), model.TrainedParameters.Count());
    }

    [Fact]
    public void Options_without_effect_and_wrong_values_are_told()
    {
        Assert.Equal(
            "The training options can't be used: LoraAlpha (--lora-alpha) is 2; expected nothing without --lora-rank, which asks for adapters; "
            + "LoraDropout (--lora-dropout) is 0; expected nothing without --lora-rank, which asks for adapters; "
            + "LoraTargets (--lora-targets) is 'attention'; expected nothing without --lora-rank, which asks for adapters; "
            + "LoraRankStabilized (--lora-rank-stabilized) is true; expected nothing without --lora-rank, which asks for adapters; "
            + "LoraBias (--lora-bias) is All; expected nothing without --lora-rank, which asks for adapters; "
            + "LoraModulesToSave (--lora-modules-to-save) is 'norm'; expected nothing without --lora-rank, which asks for adapters.",
            Assert.Throws<OptionsException>(() => new TrainingOptions
            {
                LoraAlpha = 2,
                LoraDropout = 0,
                LoraTargets = "attention",
                LoraRankStabilized = true,
                LoraBias = LoraBias.All,
                LoraModulesToSave = "norm",
            }.Validate()).Message);
        Assert.Equal(
            "The training options can't be used: LoraRank (--lora-rank) is 0; expected 1 to 65536; "
            + "UnfrozenLayers (--unfrozen-layers) is 1; expected nothing beside --lora-rank, which freezes all layers; "
            + "LoraAlpha (--lora-alpha) is 0; expected a number from 0.000001 to 1000000; LoraDropout (--lora-dropout) is 1; expected a number from 0 to below 1; "
            + "LoraTargets (--lora-targets) is ','; expected attention, all-linear or names of layers with commas between them.",
            Assert.Throws<OptionsException>(() => new TrainingOptions
            {
                LoraRank = 0,
                UnfrozenLayers = 1,
                LoraAlpha = 0,
                LoraDropout = 1,
                LoraTargets = ",",
            }.Validate()).Message);
        File.WriteAllText(directory["config.json"], "{}");
        File.WriteAllText(directory["lists.jsonl"], "");
        Assert.Equal(
            "The training options can't be used: BaseModel (--base-model) is '.'; expected nothing without --backbone, which is an adapter then; "
            + "LoraRank (--lora-rank) is 2; expected nothing with --config: a model that is trained from scratch has no weights that an adapter "
            + "could change.",
            Assert.Throws<OptionsException>(() => new TrainingRun(new TrainingRunOptions
            {
                Data = directory["lists.jsonl"],
                Config = directory["config.json"],
                Output = directory["out"],
                LoraRank = 2,
                BaseModel = ".",
            })).Message);
    }

    [Fact]
    public void Resumed_it_ends_with_the_same_bytes_and_an_interrupted_run_is_exported()
    {
        var run = RunOptions() with { LoraDropout = 0.1 };
        new TrainingRun(run with { Output = directory["straight"] }).Run();
        using (var stop = new CancellationTokenSource())
            Assert.Throws<OperationCanceledException>(() => new TrainingRun(run).Run(
                new Steps(step => { if (step.Step == 3) stop.Cancel(); }), stop.Token));
        Assert.Equal(3, TrainingRun.Export(directory["run"], best: false, directory["exported"]));
        using (var exported = ScoringModel.Load(directory["exported"]))
            Assert.Equal(3, exported.Transformer.Adapter!.Rank);
        TrainingRun.Resume(directory["run"]).Run();
        Assert.Equal(
            File.ReadAllBytes(directory["straight/adapter_model.safetensors"]), File.ReadAllBytes(directory["run/adapter_model.safetensors"]));
        Assert.False(File.Exists(directory["run/model.safetensors"]));
        using var log = new StringWriter();
        // 3 numbers for each input and output of a layer, and the head.
        new TrainingRun(run with { Output = directory["logged"] }, new LineLogger(log.WriteLine)).Run();
        Assert.Contains("An adapter of rank 3 in 14 layers: 2,184 trained parameters beside 10,800 frozen ones", log.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Another_adapter_is_another_run()
    {
        var run = RunOptions();
        new TrainingRun(run).Run();
        Assert.Contains(
            "--lora-rank was 3 and is now 2", Assert.Throws<RunDirectoryException>(
                () => new TrainingRun(run with { LoraRank = 2, Resume = true }).Run()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_adapter_is_trained_further_as_one()
    {
        var run = RunOptions();
        new TrainingRun(run).Run();
        var further = run with { Backbone = directory["run"], Output = directory["further"], LoraRank = null, LoraTargets = null, BestBy = BestBy.Last };
        new TrainingRun(further).Run();
        using var first = ScoringModel.Load(directory["run"]);
        using var second = ScoringModel.Load(directory["further"]);
        Assert.Equal(first.Transformer.Adapter, second.Transformer.Adapter);
        Assert.Equal(first.Transformer.BaseDirectory, second.Transformer.BaseDirectory);
        Assert.NotEqual(
            File.ReadAllBytes(directory["run/adapter_model.safetensors"]), File.ReadAllBytes(directory["further/adapter_model.safetensors"]));
        Assert.Equal(Bits(first.Transformer).Where(pair => pair.Key != "score.weight"), Bits(second.Transformer).Where(pair => pair.Key != "score.weight"));
    }

    [Fact]
    public void A_plan_counts_what_is_trained()
    {
        var plan = new TrainingRun(RunOptions()).Plan();
        using var model = TinyModel.Create();
        model.AddAdapter(new LoraOptions(3) { Targets = LoraOptions.AllLinearTargets });
        Assert.Equal(model.TrainedParameters.Sum(pair => pair.Parameter.numel()), plan.TrainedParameterCount);
        Assert.Equal(model.parameters().Sum(parameter => parameter.numel()), plan.ParameterCount);
        Assert.Equal((4 * plan.ParameterCount, 4 * plan.TrainedParameterCount), (plan.Memory.Weights, plan.Memory.Gradients));
    }

    private TrainingRunOptions RunOptions()
    {
        if (!Directory.Exists(directory["base"]))
            using (var model = new ScoringModel(TinyModel.Create()))
                model.Save(directory["base"]);
        File.WriteAllLines(directory["train.jsonl"], Enumerable.Range(0, 60).Select(i => JsonSerializer.Serialize(
            new { prompt_ids = new[] { 1 + i % 50, 3 }, answer_ids = new[] { new[] { 7, 2 }, [8, 9, 2], [3, 2] } })));
        return new TrainingRunOptions
        {
            Data = directory["train.jsonl"],
            Backbone = directory["base"],
            Output = directory["run"],
            Steps = 6,
            ListsPerStep = 8,
            LearningRate = 3e-3,
            EvaluationInterval = 2,
            SaveInterval = 2,
            Threads = 1,
            LoraRank = 3,
            LoraTargets = LoraOptions.AllLinearTargets,
        };
    }

    private static (float[] Weights, List<StepReport> Reports) Train(TrainingOptions run)
    {
        using var model = TinyModel.Create();
        var reports = new List<StepReport>();
        new Trainer(model, run with { Steps = 3 }, lists, [], progress: new Steps(reports.Add)).Train();
        return ([.. model.TrainedParameters.SelectMany(pair => Values(pair.Parameter))], reports);
    }

    private static Dictionary<string, byte[]> Bits(RewardTransformer model) =>
        model.CheckpointParameters.ToDictionary(pair => pair.Name, pair => MemoryMarshal.AsBytes<float>(Values(pair.Parameter)).ToArray());

    private static float[] Values(Tensor tensor)
    {
        using var detached = tensor.detach();
        using var data = detached.data<float>();
        return data.ToArray();
    }

    private sealed class Steps(Action<StepReport> act) : IProgress<TrainingReport>
    {
        public void Report(TrainingReport value)
        {
            if (value is StepReport step)
                act(step);
        }
    }
}
