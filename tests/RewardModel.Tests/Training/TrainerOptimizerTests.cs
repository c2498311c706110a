using System.Text.Json.Nodes;
using RewardModel.Checkpoints;
using RewardModel.Lists;
using RewardModel.Ranking;
using RewardModel.Scoring;
using RewardModel.Training;
using RewardModel.Training.Metrics;
using RewardModel.Training.Optimization;
using RewardModel.Training.Reporting;
using RewardModel.Training.Runs;
using static TorchSharp.torch;

namespace RewardModel.Tests.Training;

/// <summary>Runs with other optimisers, rates and steps. Alone, because torch's count of tensors is that of the whole process.</summary>
[Collection(nameof(RunsAlone))]
public class TrainerOptimizerTests
{
    private static readonly TrainingOptions options = new()
    {
        Steps = 8,
        LearningRate = 3e-3,
        ListsPerStep = 5,
        EvaluationInterval = 2,
        SaveInterval = 3,
    };

    private static readonly TokenizedList[] lists =
        [.. Enumerable.Range(0, 17).Select(i => TinyModel.List((ulong)i, i % 6, 3, 1 + i % 4, 5))];

    public static TheoryData<TrainingOptions> Runs => new(
        options with { Optimizer = OptimizerKind.AdamW8Bit },
        options with { Optimizer = OptimizerKind.Adafactor },
        options with { TokensPerStep = 60, ListsPerStep = null },
        options with { LayerDecay = 0.7, HeadLearningRate = 1e-2, Schedule = ScheduleKind.Wsd, CooldownSteps = 4 },
        options with { FreezeEmbeddings = true, WarmupRatio = 0.3 });

    [Theory, MemberData(nameof(Runs))]
    public void A_run_cut_off_after_any_step_and_resumed_ends_with_the_same_bits(TrainingOptions run)
    {
        var straight = Trained(run);
        // Just behind a saved state, and with steps that are taken again.
        foreach (var killedAfter in new[] { 4, 6 })
        {
            using var directory = new TemporaryDirectory();
            using (var model = Model())
                Assert.Throws<Killed>(() => new Trainer(
                    model, run, lists, [], new RunDirectory(directory.Path), new AfterStep(killedAfter, () => throw new Killed())).Train());
            using var resumed = Model();
            new Trainer(resumed, run, lists, [], new RunDirectory(directory.Path)).Train(resume: true);
            Assert.Equal(straight, Weights(resumed));
        }
    }

    [Fact]
    public void A_state_has_the_moments_of_8_bits()
    {
        using var directory = new TemporaryDirectory();
        using var model = Model();
        new Trainer(
            model, options with { Optimizer = OptimizerKind.AdamW8Bit, Steps = 1 }, lists, [], new RunDirectory(directory.Path)).Train();
        using var state = CheckpointReader.Open(directory["training/states/step-00000001/optimizer"]);
        Assert.Equal(SafetensorsType.U8, state.Entry("exp_avg_sq.model.layers.0.mlp.up_proj.weight").Type);
        Assert.Equal([24, 256], state.Entry("exp_avg_sq.model.layers.0.mlp.up_proj.weight").Shape);
        Assert.Equal(SafetensorsType.F32, state.Entry("exp_avg_sq.model.norm.weight").Type);
    }

    [Fact]
    public void A_run_with_another_optimiser_or_rate_is_another_one()
    {
        using var directory = new TemporaryDirectory();
        using var model = Model();
        new Trainer(model, options, lists, [], new RunDirectory(directory.Path)).Train();
        var other = options with
        {
            Optimizer = OptimizerKind.Adafactor,
            LayerDecay = 0.9,
            HeadLearningRate = 1,
            Schedule = ScheduleKind.Wsd,
            CooldownSteps = 2,
            WarmupRatio = 0.1,
            TokensPerStep = 9,
            ListsPerStep = null,
        };
        var error = Assert.Throws<RunDirectoryException>(
            () => new Trainer(model, other, lists, [], new RunDirectory(directory.Path)).Train(resume: true));
        Assert.StartsWith(
            $"The run in '{directory.Path}' can't be resumed, because it was started differently: --head-learning-rate was not set and is now "
            + "1; --layer-decay was not set and is now 0.9; --schedule was \"Cosine\" and is now \"Wsd\"; --warmup-steps was 0 and is now not "
            + "set; --warmup-ratio was not set and is now 0.1; --cooldown-steps was not set and is now 2; "
            + "--optimizer was \"adamw\" and is now \"adafactor\"; ",
            error.Message);
        Assert.Contains("--tokens-per-step was not set and is now 9", error.Message, StringComparison.Ordinal);
    }

    /// <summary>A whole run: the loss at its end, and the accuracy on lists it has not seen, beside those of AdamW.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Moments_of_8_bits_learn_what_AdamWs_learn(long seed)
    {
        (double Loss, double Accuracy) Learn(OptimizerKind optimizer)
        {
            using var model = Model(seed);
            var losses = new List<double>();
            var run = new TrainingOptions { Steps = 150, LearningRate = 3e-3, Seed = seed, Optimizer = optimizer };
            new Trainer(
                model, run, TinyModel.OrderTask(400, seed: 1), [], progress: new Steps(step => losses.Add(step.Loss))).Train();
            return (losses[^10..].Average(), Accuracy(model, TinyModel.OrderTask(200, seed: 2)));
        }

        var (expectedLoss, expectedAccuracy) = Learn(OptimizerKind.AdamW);
        var (loss, accuracy) = Learn(OptimizerKind.AdamW8Bit);
        Assert.InRange(expectedLoss, 0, 0.02);
        Assert.InRange(loss - expectedLoss, -0.01, 0.01);
        Assert.InRange(accuracy - expectedAccuracy, -0.02, 0.02);
    }

    [Fact]
    public void Adafactor_learns_the_order()
    {
        using var model = Model();
        new Trainer(
            model, new TrainingOptions { Steps = 150, LearningRate = 3e-3, Optimizer = OptimizerKind.Adafactor },
            TinyModel.OrderTask(400, seed: 1), []).Train();
        Assert.InRange(Accuracy(model, TinyModel.OrderTask(200, seed: 2)), 0.95, 1);
    }

    [Theory]
    [InlineData(OptimizerKind.AdamW8Bit)]
    [InlineData(OptimizerKind.Adafactor)]
    public void No_tensors_are_left_behind_by_a_step(OptimizerKind optimizer)
    {
        using var model = Model();
        var counts = new List<long>();
        void Train() => new Trainer(
            model, options with { Steps = 30, Optimizer = optimizer }, lists, [], progress: new Steps(_ => counts.Add(Tensor.TotalCount)))
            .Train();
        // What a model keeps from its first pass on, and what earlier tests left to the finalizer, must not be counted.
        Train();
        counts.Clear();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var before = Tensor.TotalCount;
        Train();
        Assert.Equal(counts[2], counts[20]);
        Assert.Equal(counts[2], counts[29]);
        Assert.Equal(before, Tensor.TotalCount);
    }

    [Fact]
    public void Frozen_embeddings_stay_as_they_were_and_all_layers_train()
    {
        using var before = Model();
        using var after = Model();
        new Trainer(after, options with { FreezeEmbeddings = true }, lists, []).Train();
        foreach (var ((name, one), (_, other)) in before.CheckpointParameters.Zip(after.CheckpointParameters))
            Assert.Equal(name == "model.embed_tokens.weight", one.allclose(other, 0, 0));
        Assert.DoesNotContain("model.embed_tokens.weight", after.TrainedParameters.Select(pair => pair.Name));
    }

    /// <summary>The first step of AdamW moves a weight by its rate, whatever the gradient.</summary>
    [Fact]
    public void Layers_and_head_move_by_their_rates()
    {
        using var before = Model();
        using var after = Model();
        var rates = new List<double>();
        new Trainer(
            after, options with { Steps = 1, LayerDecay = 0.5, HeadLearningRate = 6e-3, WeightDecay = 0, MaxGradientNorm = 0 }, lists, [],
            progress: new Steps(step => rates.Add(step.LearningRate))).Train();
        double Moved(string name)
        {
            using var scope = NewDisposeScope();
            var one = before.CheckpointParameters.Single(pair => pair.Name == name).Parameter;
            var other = after.CheckpointParameters.Single(pair => pair.Name == name).Parameter;
            return one.sub(other).abs().max().item<float>();
        }
        Assert.Equal(3e-3 * 0.125, Moved("model.embed_tokens.weight"), 1e-6);
        Assert.Equal(3e-3 * 0.25, Moved("model.layers.0.mlp.up_proj.weight"), 1e-6);
        Assert.Equal(3e-3 * 0.5, Moved("model.layers.1.mlp.up_proj.weight"), 1e-6);
        Assert.Equal(3e-3, Moved("model.norm.weight"), 1e-6);
        Assert.Equal(6e-3, Moved("score.weight"), 1e-6);
        Assert.Equal([3e-3], rates);
    }

    [Fact]
    public void Warm_up_and_cooldown_follow_the_count_of_steps()
    {
        double[] Rates(TrainingOptions run)
        {
            using var model = TinyModel.Create();
            var rates = new List<double>();
            new Trainer(
                model, run with { LearningRate = 1, WeightDecay = 0, MaxGradientNorm = 1e-9, ListsPerStep = 5 }, lists, [],
                progress: new Steps(step => rates.Add(step.LearningRate))).Train();
            return [.. rates];
        }
        // 0.21 of eight steps are 1.68, rounded up 2.
        Assert.Equal([0, 0.5, 1, 1, 1, 1, 1, 1], Rates(new TrainingOptions { Steps = 8, Schedule = ScheduleKind.Constant, WarmupRatio = 0.21 }));
        // Two epochs of four steps; a tenth of them, rounded up, is one.
        Assert.Equal([0, 1, 1, 1, 1, 1, 1, 1], Rates(new TrainingOptions { Epochs = 2, Schedule = ScheduleKind.Wsd, WarmupRatio = 0.01 }));
        Assert.Equal(
            [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 - Math.Sqrt(0.5)],
            Rates(new TrainingOptions { Steps = 12, Schedule = ScheduleKind.Wsd }).Select(rate => rate));
        // No run is all warm-up.
        Assert.Equal([1.0], Rates(new TrainingOptions { Steps = 1, WarmupRatio = 0.03 }));
    }

    [Fact]
    public void A_cooldown_that_does_not_fit_is_refused()
    {
        using var model = TinyModel.Create();
        Assert.Equal(
            "CooldownSteps (--cooldown-steps) is 6; expected at most 5, as the run has 8 steps, 3 of them warm-up.",
            Assert.Throws<ArgumentException>(() => new Trainer(
                model, options with { Schedule = ScheduleKind.Wsd, WarmupSteps = 3, CooldownSteps = 6 }, lists, [])).Message);
    }

    [Fact]
    public void A_run_of_wsd_goes_on_from_before_its_cooldown_as_a_longer_one()
    {
        var run = options with { Schedule = ScheduleKind.Wsd, CooldownSteps = 2, WarmupSteps = 1, SaveInterval = 1 };
        using var directory = new TemporaryDirectory();
        using (var model = Model())
            Assert.Throws<Killed>(() => new Trainer(
                model, run, lists, [], new RunDirectory(directory.Path), new AfterStep(7, () => throw new Killed())).Train());
        using var longer = Model();
        new Trainer(longer, run with { Steps = 12 }, lists, [], new RunDirectory(directory.Path)).Train(resume: true);
        Assert.Equal(Trained(run with { Steps = 12 }), Weights(longer));
    }

    [Fact]
    public void Steps_of_tokens_divide_by_their_own_lists()
    {
        // All of one length, so that a step of 4 lists' tokens is one of 4 lists.
        TokenizedList[] equal = [.. Enumerable.Range(0, 10).Select(i => TinyModel.List((ulong)i, 4, 3, 5))];
        byte[] Trained(TrainingOptions run)
        {
            using var model = Model();
            new Trainer(model, run with { Steps = null, Epochs = 2 }, equal, []).Train();
            return Weights(model);
        }
        Assert.Equal(Trained(options with { ListsPerStep = 4 }), Trained(options with { ListsPerStep = null, TokensPerStep = 4 * 12 - 3 }));
    }

    /// <summary>A model whose matrices are large enough for moments of 8 bits.</summary>
    private static RewardTransformer Model(long seed = 1)
    {
        JsonObject config = TinyModel.Config("llama");
        (config["hidden_size"], config["intermediate_size"]) = (64, 96);
        return RewardTransformer.FromConfig(HuggingFaceConfig.Parse(config.ToJsonString(), "config.json"), seed: seed);
    }

    private static byte[] Trained(TrainingOptions run)
    {
        using var model = Model();
        new Trainer(model, run, lists, []).Train();
        return Weights(model);
    }

    private static byte[] Weights(RewardTransformer model) =>
        [.. model.CheckpointParameters.SelectMany(pair => pair.Parameter.bytes.ToArray())];

    private static double Accuracy(RewardTransformer model, IReadOnlyList<TokenizedList> some)
    {
        var metrics = new RankingMetricsAccumulator(RankingLoss.ByName("log-sigmoid"));
        foreach (var (rewards, list) in new RewardScorer(model).Score(some).Zip(some))
            metrics.Add(rewards, RankingList.Of(list));
        return metrics.Result.Accuracy;
    }

    private sealed class Killed : Exception;

    private sealed class Steps(Action<StepReport> report) : IProgress<TrainingReport>
    {
        public void Report(TrainingReport value)
        {
            if (value is StepReport step)
                report(step);
        }
    }

    private sealed class AfterStep(int step, Action action) : IProgress<TrainingReport>
    {
        public void Report(TrainingReport value)
        {
            if (value is StepReport && value.Step == step)
                action();
        }
    }
}
