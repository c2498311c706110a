using RewardModel.Adapters;
using RewardModel.Checkpoints;
using RewardModel.Distributed;
using RewardModel.Lists;
using RewardModel.Scoring;
using RewardModel.Tests.Distributed;
using RewardModel.Tests.Parity;
using RewardModel.Training;
using RewardModel.Training.Reporting;
using RewardModel.Training.Runs;
using static TorchSharp.torch;

namespace RewardModel.Tests.Training.Distributed;

/// <summary>Ranks that train together, as threads of one process: what they come to is what one process comes to.</summary>
[Collection(nameof(RunsAlone))]
public class RankTrainingTests
{
    /// <summary>Few lists to a step, of very different lengths; ranks get one, several or none.</summary>
    private static readonly TokenizedList[] lists =
        [.. Enumerable.Range(0, 23).Select(i => TinyModel.List((ulong)i, i * 5 % 11, [3, 1 + i % 4, 5, .. Enumerable.Repeat(2 + i % 3, i % 5)]))];

    private static readonly TokenizedList[] heldOut = [.. Enumerable.Range(100, 7).Select(i => TinyModel.List((ulong)i, 4, 3, 4 + i % 3))];

    private static readonly TrainingOptions options = new()
    {
        Steps = 20,
        LearningRate = 1e-4,
        ListsPerStep = 6,
        EvaluationInterval = 7,
        MaxTokensPerBatch = 60,
    };

    public static TheoryData<int, Sharding> RanksAndShardings
    {
        get
        {
            var data = new TheoryData<int, Sharding>();
            foreach (var ranks in new[] { 1, 2, 3, 4 })
                foreach (var sharding in Enum.GetValues<Sharding>())
                    data.Add(ranks, sharding);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(RanksAndShardings))]
    public void Ranks_take_the_steps_of_one_process(int ranks, Sharding sharding)
    {
        using var model = Llama();
        var expected = Train(model, options);
        foreach (var found in TrainTogether(ranks, Llama, options with { Shard = sharding }))
            Compare(expected, found);
    }

    [Theory]
    [InlineData("--optimizer adamw-8bit", Sharding.Optimizer)]
    [InlineData("--optimizer adamw-8bit", Sharding.Parameters)]
    [InlineData("--optimizer adafactor", Sharding.Gradients)]
    [InlineData("--optimizer adafactor", Sharding.Parameters)]
    [InlineData("checkpointing", Sharding.None)]
    [InlineData("checkpointing", Sharding.Gradients)]
    [InlineData("in parts", Sharding.Gradients)]
    [InlineData("in parts", Sharding.Parameters)]
    [InlineData("average", Sharding.Optimizer)]
    [InlineData("average", Sharding.Parameters)]
    [InlineData("last averaged", Sharding.None)]
    [InlineData("last averaged", Sharding.Parameters)]
    [InlineData("frozen", Sharding.Optimizer)]
    [InlineData("frozen", Sharding.Parameters)]
    [InlineData("head alone", Sharding.Parameters)]
    [InlineData("adapters", Sharding.None)]
    [InlineData("adapters", Sharding.Gradients)]
    [InlineData("adapters", Sharding.Parameters)]
    [InlineData("one list a step", Sharding.Optimizer)]
    [InlineData("one list a step", Sharding.Parameters)]
    [InlineData("all tokens", Sharding.Parameters)]
    [InlineData("offloaded", Sharding.Optimizer)]
    [InlineData("offloaded", Sharding.Parameters)]
    public void The_same_with(string what, Sharding sharding)
    {
        var changed = what switch
        {
            "--optimizer adamw-8bit" => options with { Optimizer = OptimizerKind.AdamW8Bit },
            "--optimizer adafactor" => options with { Optimizer = OptimizerKind.Adafactor },
            "checkpointing" => options with { ActivationCheckpointing = true },
            "in parts" => options with { MaxTokensPerBatch = 12 },
            "average" => options with { Ema = 0.8 },
            "last averaged" => options with { AverageLast = 2 },
            "frozen" => options with { UnfrozenLayers = 2 },
            "head alone" => options with { UnfrozenLayers = 0 },
            "adapters" => options with { LoraRank = 2, LoraTargets = "all-linear", LoraBias = LoraBias.All },
            "one list a step" => options with { ListsPerStep = 1 },
            "all tokens" => options with { RewardPositions = RewardPositions.All },
            "offloaded" => options with { OffloadOptimizer = true, Shard = Sharding.Optimizer },
            _ => throw new ArgumentException(what),
        };
        using var model = Llama();
        var expected = Train(model, changed);
        foreach (var found in TrainTogether(3, Llama, changed with { Shard = sharding }))
            Compare(expected, found, what == "--optimizer adamw-8bit" ? 3e-5 : 1e-5);
    }

    [Theory]
    [InlineData("bert")]
    [InlineData("deberta_v2")]
    [InlineData("gpt2")]
    [InlineData("modernbert")]
    [InlineData("opt_350m_style")]
    [InlineData("phi3")]
    [InlineData("qwen3_moe")]
    public void The_same_of_other_architectures(string name)
    {
        // Adam moves weights without slope (key biases) by the sign of rounding, so of all losses this one begins far from 0.
        RewardTransformer Create() => ParityModel.Random(name);
        var run = options with { Epsilon = 1e-3, MaxTokensPerBatch = 80 };
        using var model = Create();
        var expected = Train(model, run);
        foreach (var found in TrainTogether(2, Create, run with { Shard = Sharding.Parameters }))
            Compare(expected, found);
    }

    [Theory]
    [InlineData("gpt2", false)]
    [InlineData("bert", false)]
    [InlineData("llama", true)]
    [InlineData("qwen3_moe", true)]
    public void Dropout_belongs_to_lists_and_not_to_ranks(string name, bool ofAdapters)
    {
        RewardTransformer Create() => ParityModel.Random(name, dropout: 0.2);
        var run = options with { Epsilon = 1e-3, MaxTokensPerBatch = 80 };
        if (ofAdapters)
            run = run with { LoraRank = 2, LoraDropout = 0.3 };
        using var model = Create();
        var expected = Train(model, run);
        foreach (var sharding in new[] { Sharding.None, Sharding.Parameters })
            Compare(expected, TrainTogether(2, Create, run with { Shard = sharding, MaxTokensPerBatch = 50 })[0]);
    }

    [Fact]
    public void Gradients_of_a_step_are_those_of_one_process()
    {
        // A step of stochastic gradient descent in disguise: Adafactor's and Adam's steps are no gradients, but their state is.
        foreach (var sharding in Enum.GetValues<Sharding>())
        {
            var run = options with { Steps = 1, MaxGradientNorm = 0, LearningRate = 1e-5 };
            using var expected = new TemporaryDirectory();
            using var model = Llama();
            new Trainer(model, run, lists, [], new RunDirectory(expected.Path)).Train();
            using var found = new TemporaryDirectory();
            TrainTogether(3, Llama, run with { Shard = sharding }, found.Path, []);
            var (ofOne, ofRanks) = (Moments(expected.Path), Moments(found.Path));
            Assert.Equal(ofOne.Keys.Order(), ofRanks.Keys.Order());
            foreach (var (name, values) in ofOne)
            {
                var scale = values.Max(Math.Abs);
                Assert.All(values.Zip(ofRanks[name]), pair => Assert.InRange(Math.Abs(pair.First - pair.Second), 0, 1e-6 * Math.Max(scale, 1e-3)));
            }
        }
    }

    [Theory]
    [InlineData(2, Sharding.Parameters, 3, Sharding.Optimizer)]
    [InlineData(3, Sharding.Gradients, 1, Sharding.None)]
    [InlineData(1, Sharding.None, 4, Sharding.Parameters)]
    public void A_run_goes_on_with_other_ranks_and_another_sharding(int before, Sharding shardingBefore, int after, Sharding shardingAfter)
    {
        var run = options with { SaveInterval = 5, Ema = 0.9 };
        using var model = Llama();
        var expected = Train(model, run);
        using var directory = new TemporaryDirectory();
        TrainTogether(before, Llama, run with { Shard = shardingBefore }, directory.Path, heldOut, stopAfter: 10);
        foreach (var found in TrainTogether(after, Llama, run with { Shard = shardingAfter }, directory.Path, heldOut, resume: true))
            Compare(expected with { Steps = expected.Steps[10..] }, found);
    }

    [Theory]
    [InlineData(Sharding.None)]
    [InlineData(Sharding.Gradients)]
    [InlineData(Sharding.Parameters)]
    public void An_interrupted_run_of_as_many_ranks_ends_with_the_same_bits(Sharding sharding)
    {
        var run = options with { SaveInterval = 5, Shard = sharding };
        var expected = TrainTogether(3, Llama, run)[0];
        using var directory = new TemporaryDirectory();
        TrainTogether(3, Llama, run, directory.Path, heldOut, stopAfter: 12);
        var found = TrainTogether(3, Llama, run, directory.Path, heldOut, resume: true)[1];
        foreach (var (name, values) in expected.Weights)
            Assert.Equal(values, found.Weights[name]);
    }

    [Theory]
    [InlineData(Sharding.Optimizer)]
    [InlineData(Sharding.Parameters)]
    public void States_have_the_bytes_that_one_process_writes(Sharding sharding)
    {
        // Without a step nothing is computed, so that even the last bits are the same.
        using var one = new TemporaryDirectory();
        using var several = new TemporaryDirectory();
        var run = options with { Steps = 1, SaveInterval = 1, LearningRate = 1e-30, WeightDecay = 0 };
        TrainTogether(1, Llama, run, one.Path, heldOut);
        TrainTogether(3, Llama, run with { Shard = sharding }, several.Path, heldOut);
        string File(TemporaryDirectory directory, string name) =>
            Directory.EnumerateFiles(directory[$"{RunDirectory.FolderName}/states"], name, SearchOption.AllDirectories)
                .First(path => path.Contains("weights", StringComparison.Ordinal));
        Assert.Equal(
            System.IO.File.ReadAllBytes(File(one, "model.safetensors")), System.IO.File.ReadAllBytes(File(several, "model.safetensors")));
    }

    [Fact]
    public void Ranks_that_differ_are_refused()
    {
        var error = Assert.Throws<DistributedException>(() => ThreadCollective.Run(2, ranks =>
        {
            using var model = Llama();
            var different = ranks.Rank == 1
                ? (options with { LearningRate = 2e-4, MaxTokensPerBatch = 77 }, lists[1..])
                : (options, lists);
            new Trainer(model, different.Item1, different.Item2, [], ranks: ranks).Train();
        }));
        Assert.Contains("was 0.0001 and is now 0.0002", error.Message);
        Assert.Contains("the training lists are not the same", error.Message);
        Assert.Contains("was 60 and is now 77", error.Message);
    }

    [Theory]
    [InlineData(Sharding.Gradients)]
    [InlineData(Sharding.Parameters)]
    public void Whoever_diverges_all_ranks_stop_with_the_weights_from_before_the_step(Sharding sharding)
    {
        ThreadCollective.Run(2, ranks =>
        {
            using var model = Llama();
            using (no_grad())
                model.CheckpointParameters.First(pair => pair.Name == "score.weight").Parameter.fill_(float.MaxValue);
            var before = Weights(model);
            var error = Assert.Throws<TrainingDivergedException>(
                () => new Trainer(model, options with { Shard = sharding }, lists, [], ranks: ranks).Train());
            Assert.Contains("the loss is", error.Message);
            foreach (var (name, values) in before)
                Assert.Equal(values, Weights(model)[name]);
        });
    }

    [Theory]
    [InlineData(Sharding.None, 1)]
    [InlineData(Sharding.Parameters, 1)]
    [InlineData(Sharding.Parameters, 7)]
    public void Weights_that_one_rank_damages_stop_all_before_they_are_evaluated(Sharding sharding, int evaluationInterval)
    {
        ThreadCollective.Run(2, ranks =>
        {
            using var model = Llama();
            TokenizedList[] without = [.. lists.Select(list => new TokenizedList(
                [.. list.PromptIds.Select(id => id % 60)], [.. list.AnswerIds.Select(ids => ids.Select(id => id % 60).ToArray())], [.. list.Scores]))];
            using (no_grad())
                model.CheckpointParameters.First(pair => pair.Name == "model.embed_tokens.weight").Parameter[60, 3] = 1e38f;
            var damaging = options with
            {
                Shard = sharding,
                LearningRate = 5,
                WarmupSteps = 0,
                WeightDecay = 10,
                EvaluationInterval = evaluationInterval,
            };
            var error = Assert.Throws<TrainingDivergedException>(() => new Trainer(model, damaging, without, heldOut, ranks: ranks).Train());
            Assert.StartsWith(
                "Step 1: the weights, or what the optimiser keeps of them, are not finite after this step: 'model.embed_tokens.weight'.",
                error.Message);
        });
    }

    [Fact]
    public void A_rank_that_is_cancelled_stops_all_after_the_same_step()
    {
        using var directory = new TemporaryDirectory();
        ThreadCollective.Run(3, ranks =>
        {
            using var model = Llama();
            using var cancellation = new CancellationTokenSource();
            var progress = new Reports(report =>
            {
                if (ranks.Rank == 2 && report.Step == 4)
                    cancellation.Cancel();
            });
            Assert.Throws<OperationCanceledException>(() => new Trainer(
                model, options with { SaveInterval = 100 }, lists, heldOut, new RunDirectory(directory.Path), progress, ranks: ranks)
                .Train(cancellation: cancellation.Token));
            Assert.Equal(4, progress.Steps.Count);
        });
        Assert.Equal(4, new RunDirectory(directory.Path).NewestStep);
    }

    internal static RewardTransformer Llama()
    {
        var config = TinyModel.Config("llama");
        config["num_hidden_layers"] = 5;
        // Large enough for moments of 8 bits.
        config["intermediate_size"] = 200;
        return RewardTransformer.FromConfig(HuggingFaceConfig.Parse(config.ToJsonString(), "config.json"), seed: 1);
    }

    private static Outcome Train(RewardTransformer model, TrainingOptions options)
    {
        set_num_threads(1);
        var reports = new Reports(_ => { });
        using var directory = new TemporaryDirectory();
        var result = new Trainer(model, options with { Shard = Sharding.None, OffloadOptimizer = false }, lists, heldOut, new RunDirectory(directory.Path), reports).Train();
        return new Outcome(reports.Steps, result, Weights(model));
    }

    private static Outcome[] TrainTogether(
        int count, Func<RewardTransformer> create, TrainingOptions options, string? path = null, TokenizedList[]? evaluated = null,
        bool resume = false, int? stopAfter = null)
    {
        using var directory = path is null ? new TemporaryDirectory() : null;
        var outcomes = new Outcome[count];
        ThreadCollective.Run(count, ranks =>
        {
            RewardTransformer model;
            // Of this thread alone; ranks share two processors.
            set_num_threads(1);
            // Weights are drawn from the generator of the process.
            lock (outcomes)
                model = create();
            using var cancellation = new CancellationTokenSource();
            var reports = new Reports(report =>
            {
                if (report.Step == stopAfter)
                    cancellation.Cancel();
            });
            try
            {
                var result = new Trainer(
                    model, options, lists, evaluated ?? heldOut, new RunDirectory(path ?? directory!.Path), reports, ranks: ranks)
                    .Train(resume, cancellation.Token);
                outcomes[ranks.Rank] = new Outcome(reports.Steps, result, Weights(model));
            }
            catch (OperationCanceledException) when (stopAfter is not null)
            {
            }
            finally
            {
                model.Dispose();
            }
        });
        return outcomes;
    }

    private static void Compare(Outcome expected, Outcome found, double ofWeights = 1e-5)
    {
        Assert.Equal(expected.Steps.Count, found.Steps.Count);
        foreach (var (one, ranks) in expected.Steps.Zip(found.Steps))
        {
            Assert.InRange(Math.Abs(one.Loss - ranks.Loss), 0, 1e-5);
            Assert.InRange(Math.Abs(one.GradientNorm - ranks.GradientNorm), 0, 1e-4 * one.GradientNorm);
            Assert.Equal(one.Tokens, ranks.Tokens);
        }
        var (first, firstFound) = (expected.Steps[0], found.Steps[0]);
        if (expected.Steps.Count == 20)
        {
            Assert.InRange(Math.Abs(first.Loss - firstFound.Loss), 0, 1e-6 * Math.Max(1, first.Loss));
            Assert.InRange(Math.Abs(first.GradientNorm - firstFound.GradientNorm), 0, 1e-6 * Math.Max(1, first.GradientNorm));
        }
        Assert.Equal(expected.Result.BestEvaluation!.Step, found.Result.BestEvaluation!.Step);
        Assert.Equal(expected.Result.BestEvaluation.Metrics.Accuracy, found.Result.BestEvaluation.Metrics.Accuracy, 6);
        Assert.Equal(expected.Weights.Keys.Order(), found.Weights.Keys.Order());
        foreach (var (name, values) in expected.Weights)
            foreach (var (one, ranks) in values.Zip(found.Weights[name]))
                Assert.True(Math.Abs(one - ranks) <= ofWeights, $"{name}: {one} and {ranks}");
    }

    private static Dictionary<string, float[]> Weights(RewardTransformer model) => model.CheckpointParameters
        .Concat(model.TrainedParameters).DistinctBy(pair => pair.Name)
        .ToDictionary(pair => pair.Name, pair => pair.Parameter.detach().data<float>().ToArray());

    private static Dictionary<string, float[]> Moments(string run)
    {
        var state = Directory.EnumerateDirectories(Path.Combine(run, RunDirectory.FolderName, "states"), "step-*").Single();
        using var reader = CheckpointReader.Open(Path.Combine(state, "optimizer"));
        return reader.Names.Where(name => name.StartsWith("exp_avg.", StringComparison.Ordinal)).ToDictionary(name => name, name =>
        {
            using var values = reader.Read(name);
            return values.data<float>().ToArray();
        });
    }

    private sealed record Outcome(List<StepReport> Steps, TrainingResult Result, Dictionary<string, float[]> Weights);

    private sealed class Reports(Action<StepReport> seen) : IProgress<TrainingReport>
    {
        public List<StepReport> Steps { get; } = [];

        public void Report(TrainingReport value)
        {
            if (value is not StepReport step)
                return;
            Steps.Add(step);
            seen(step);
        }
    }
}
