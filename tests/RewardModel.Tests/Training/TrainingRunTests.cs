using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using RewardModel.Checkpoints;
using RewardModel.Cli;
using RewardModel.Kernels;
using RewardModel.Scoring;
using RewardModel.Tests.Tokenizers;
using RewardModel.Training;
using RewardModel.Training.Optimization;
using RewardModel.Training.Reporting;
using RewardModel.Training.Runs;

namespace RewardModel.Tests.Training;

[Collection(nameof(RunsAlone))]
public sealed class TrainingRunTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();
    private readonly StringWriter log = new();

    public TrainingRunTests()
    {
        File.WriteAllText(directory["config.json"], TinyModel.Config("llama").ToJsonString());
        File.WriteAllLines(directory["train.jsonl"], Enumerable.Range(0, 60).Select(i => JsonSerializer.Serialize(
            new { prompt_ids = new[] { 1 + i % 50, 3 }, answer_ids = new[] { new[] { 7, 2 }, [8, 9, 2], [3, 2] } })));
    }

    private TrainingRunOptions Options => new()
    {
        Data = directory["train.jsonl"],
        Config = directory["config.json"],
        Output = directory["model"],
        Steps = 12,
        ListsPerStep = 8,
        LearningRate = 3e-3,
        EvaluationInterval = 4,
        SaveInterval = 4,
        Threads = 1,
    };

    private ILogger Logger => new LineLogger(log.WriteLine);

    public void Dispose() => directory.Dispose();

    [Fact]
    public void It_ends_with_a_model_that_scores_as_its_best_evaluation_says()
    {
        var result = new TrainingRun(Options, Logger).Run();
        Assert.Equal(12, result.StepCount);
        Assert.True(result.BestEvaluation!.Metrics.Accuracy > 0.9);
        using var model = ScoringModel.Load(directory["model"]);
        Assert.Equal(61, model.Transformer.Backbone.VocabularySize);
        Assert.Equal(Options, TrainingRun.OptionsOf(directory["model"]));
        Assert.Equal(
            ["data.json", "evaluation.json", "fingerprint.json", "log.jsonl", "run.yaml"],
            Directory.GetFiles(directory["model/training"]).Select(file => Path.GetFileName(file)).Order());
    }

    [Theory]
    [InlineData("", "<s>")]
    [InlineData(", \"bos_token\": \"<s>\", \"add_bos_token\": true", null)]
    public void A_run_goes_on_though_its_model_names_another_padding_token_than_its_tokenizer(string setting, string? padding)
    {
        using var folder = TokenizerFolder.ByteLevel($$"""{"eos_token": "</s>", "pad_token": "</s>"{{setting}}}""");
        var config = TinyModel.Config("llama");
        config["vocab_size"] = 265;
        File.WriteAllText(directory["config.json"], config.ToJsonString());
        File.WriteAllLines(directory["train.jsonl"], Enumerable.Range(0, 20).Select(i => JsonSerializer.Serialize(
            new { prompt = $"hello {i}", answers = new[] { "world", "wo" } })));
        var options = Options with { Tokenizer = folder.Directory, Steps = 4, SaveInterval = 2 };
        new TrainingRun(options, Logger).Run();
        new TrainingRun(options with { Steps = 6, Resume = true }, Logger).Run();
        Assert.Contains("Resumed after step 4 of 6", log.ToString());
        var written = JsonNode.Parse(File.ReadAllText(directory["model/tokenizer_config.json"]))!["pad_token"];
        Assert.Equal(padding ?? "</s>", (string?)written);
        Assert.Equal(
            padding is null, log.ToString().Contains("warning: transformers can't score padded batches of the saved", StringComparison.Ordinal));
    }

    [Fact]
    public void Everything_wrong_is_told_before_anything_is_read()
    {
        var wrong = Options with
        {
            Data = directory["nowhere.jsonl"],
            Backbone = "x",
            EvaluationData = directory["train.jsonl"],
            EvaluationFraction = 0.1,
            Epochs = 0,
            Dropout = 1,
            Threads = 0,
        };
        Assert.Equal(
            "The training options can't be used: Epochs (--epochs) is 0; expected at least 1; "
            + "give either --backbone DIR (start from a checkpoint) or --config FILE (train from scratch); "
            + "give --eval-data or --eval-fraction, not both; Dropout (--dropout) is 1; expected a number from 0 to below 1; "
            + "Threads (--threads) is 0; expected 1 to 4096; "
            + $"Data (--data): '{directory["nowhere.jsonl"]}' is not a file; expected a file, a folder, a pattern such as 'data/*.parquet', or - for "
            + "standard input. Check the path.",
            Assert.Throws<OptionsException>(() => new TrainingRun(wrong)).Message);
        Assert.False(Directory.Exists(directory["model"]));
    }

    [Fact]
    public void A_run_is_extended_to_the_weights_of_a_longer_one()
    {
        var constant = Options with { Schedule = RewardModel.Training.Optimization.ScheduleKind.Constant, BestBy = BestBy.Last };
        new TrainingRun(constant with { Steps = 20, Output = directory["straight"] }).Run();
        new TrainingRun(constant).Run();
        new TrainingRun(TrainingRun.OptionsOf(directory["model"]) with { Steps = 20, SaveInterval = 3, Resume = true }, Logger).Run();
        Assert.Equal(File.ReadAllBytes(directory["straight/model.safetensors"]), File.ReadAllBytes(directory["model/model.safetensors"]));
        Assert.Contains("warning: The run had 12 steps and now has 20: the remaining steps have the learning rates", log.ToString());
        Assert.Equal(
            $"The run in '{directory["model"]}' has already taken 20 steps, and 5 were requested; "
            + "request more (--steps, --epochs), or use another directory.",
            Assert.Throws<RunDirectoryException>(
                () => new TrainingRun(TrainingRun.OptionsOf(directory["model"]) with { Steps = 5, Resume = true }).Run()).Message);
    }

    [Fact]
    public void A_head_with_several_outputs_is_trained_by_their_sum_and_goes_on_to_the_same_weights()
    {
        var several = Options with
        {
            OutputWeights = "1, 0.5, -0.25",
            Schedule = RewardModel.Training.Optimization.ScheduleKind.Constant,
            BestBy = BestBy.Last,
        };
        new TrainingRun(several with { Steps = 20, Output = directory["straight"] }).Run();
        new TrainingRun(several).Run();
        var other = TrainingRun.OptionsOf(directory["model"]) with { Steps = 20, Resume = true };
        Assert.Contains(
            "the model's configuration or its parameters are not the same",
            Assert.Throws<RunDirectoryException>(() => new TrainingRun(other with { OutputWeights = "1,1,1" }).Run()).Message, StringComparison.Ordinal);
        new TrainingRun(other, Logger).Run();
        Assert.Equal(File.ReadAllBytes(directory["straight/model.safetensors"]), File.ReadAllBytes(directory["model/model.safetensors"]));
        using var model = ScoringModel.Load(directory["model"]);
        Assert.Equal([1, 0.5, -0.25], model.Transformer.Outputs.Weights);
        Assert.Equal([3, 24], model.Transformer.CheckpointParameters.Single(pair => pair.Name == "score.weight").Parameter.shape);
        var rewards = model.Scorer().Score([new([5, 3], [[7, 2], [8, 9, 2], [3, 2]], [2, 1, 0])])[0];
        Assert.Equal(rewards.OrderDescending(), rewards);

        Assert.Contains(
            "OutputWeights (--output-weights) is '1,x'; expected numbers with commas between them, such as 0.7,0.3",
            Assert.Throws<OptionsException>(() => new TrainingRun(Options with { OutputWeights = "1,x" })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void On_another_count_of_threads_it_goes_on_with_a_warning()
    {
        StopAfter(step: 5);
        new TrainingRun(TrainingRun.OptionsOf(directory["model"]) with { Threads = 2, Resume = true }, Logger).Run();
        Assert.Contains("warning: The run had 1 thread and now has 2: the last bits of sums may differ", log.ToString());
    }

    [Fact]
    public void A_run_that_was_stopped_is_resumed_by_its_directory_alone_and_exported_meanwhile()
    {
        StopAfter(step: 5);
        Assert.Equal(5, TrainingRun.Export(directory["model"], best: false, directory["last"]));
        Assert.Equal(4, TrainingRun.Export(directory["model"], best: true, directory["best"]));
        Assert.NotEqual(File.ReadAllBytes(directory["last/model.safetensors"]), File.ReadAllBytes(directory["best/model.safetensors"]));
        new TrainingRun(Options with { Steps = 4, Schedule = Options.Schedule, Output = directory["straight"] }).Run();

        var result = TrainingRun.Resume(directory["model"], Logger).Run();
        Assert.Equal(12, result.StepCount);
        Assert.Contains("Resumed after step 5 of 12", log.ToString());
        new TrainingRun(Options with { Output = directory["whole"] }).Run();
        Assert.Equal(File.ReadAllBytes(directory["whole/model.safetensors"]), File.ReadAllBytes(directory["model/model.safetensors"]));
        Assert.StartsWith(
            $"'{directory["nowhere"]}' holds no training run: there is no '",
            Assert.Throws<RunDirectoryException>(() => TrainingRun.Resume(directory["nowhere"])).Message);
    }

    [Fact]
    public void A_second_run_in_the_same_directory_is_refused_while_the_first_one_writes()
    {
        string? message = null;
        var run = new TrainingRun(Options);
        var second = new Reports(step =>
        {
            if (step == 2)
                message = Assert.Throws<RunDirectoryException>(() => run.Run()).Message;
        });
        run.Run(second);
        Assert.Equal(
            $"Another process is training in '{directory["model"]}': it holds '{directory["model/training/lock"]}'. "
            + "Wait for it, or use another directory.",
            message);
    }

    [Fact]
    public void Frozen_layers_keep_their_weights_and_are_in_no_state()
    {
        new TrainingRun(Options with { Steps = 1, UnfrozenLayers = 1, BestBy = BestBy.Last, Output = directory["frozen"] }).Run();
        using var before = RewardTransformer.FromConfig(RewardModel.Checkpoints.HuggingFaceConfig.ReadFile(directory["config.json"]));
        using var after = RewardTransformer.Load(directory["frozen"]);
        var changed = before.CheckpointParameters.Zip(after.CheckpointParameters)
            .Where(pair => !pair.First.Parameter.allclose(pair.Second.Parameter, 0, 0))
            .Select(pair => pair.First.Name).ToArray();
        Assert.Contains("score.weight", changed);
        Assert.Contains("model.norm.weight", changed);
        Assert.DoesNotContain("model.embed_tokens.weight", changed);
        Assert.DoesNotContain(changed, name => name.StartsWith("model.layers.0.", StringComparison.Ordinal));
        Assert.Contains(changed, name => name.StartsWith($"model.layers.{before.Backbone.Layers.Count - 1}.", StringComparison.Ordinal));
        using var state = RewardModel.Checkpoints.CheckpointReader.Open(directory["frozen/training/states/step-00000001/optimizer"]);
        Assert.DoesNotContain("exp_avg.model.embed_tokens.weight", state.Names);
        Assert.Contains("exp_avg.score.weight", state.Names);
        Assert.Equal(
            $"UnfrozenLayers (--unfrozen-layers) is 9; this Llama has {before.Backbone.Layers.Count} layers.",
            Assert.Throws<ArgumentException>(() => new TrainingRun(Options with { UnfrozenLayers = 9 }).Run()).Message);
    }

    [Fact]
    public void A_plan_says_what_would_be_done_and_writes_nothing()
    {
        var plan = new TrainingRun(Options with { EvaluationFraction = 0 }).Plan();
        Assert.Equal((60, 0, 180, 180), (plan.TrainListCount, plan.HeldOutListCount, plan.AnswerCount, plan.PairCount));
        Assert.Equal((60 * 9, 8, 12), (plan.TokensPerEpoch, plan.StepsPerEpoch, plan.StepCount));
        Assert.Equal(3e-3, plan.LearningRate);
        Assert.Equal(plan.ParameterCount, plan.TrainedParameterCount);
        Assert.True(plan.MemoryBytes > 16 * plan.ParameterCount);
        Assert.True(plan.Time > TimeSpan.Zero);
        Assert.False(Directory.Exists(directory["model"]));
    }

    /// <summary>Where it fits, a plan has the same numbers, but for the time.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_model_that_does_not_fit_is_planned_from_its_shapes(bool hasAdapters)
    {
        var run = Options with { EvaluationFraction = 0, LoraRank = hasAdapters ? 2 : null };
        if (hasAdapters)
        {
            using (var model = new ScoringModel(TinyModel.Create()))
                model.Save(directory["backbone"]);
            run = run with { Config = null, Backbone = directory["backbone"], FrozenWeights = WeightStorage.Nf4 };
        }
        var loaded = new TrainingRun(run).Plan();
        var planned = new TrainingRun(run) { AvailableMemory = 1000 }.Plan();
        Assert.True(loaded.IsModelLoaded);
        Assert.False(planned.IsModelLoaded);
        Assert.True(planned.Time > TimeSpan.Zero);
        Assert.Equal(loaded, planned with { Time = loaded.Time, IsModelLoaded = true, Data = loaded.Data });
    }

    [Fact]
    public void A_resumption_that_is_refused_leaves_the_options_of_the_run()
    {
        StopAfter(step: 5);
        var other = TrainingRun.OptionsOf(directory["model"]) with { LearningRate = 1e-3, Resume = true };
        Assert.Throws<RunDirectoryException>(() => new TrainingRun(other).Run());
        Assert.Equal(Options, TrainingRun.OptionsOf(directory["model"]));
        Assert.Equal(12, TrainingRun.Resume(directory["model"]).Run().StepCount);
    }

    [Fact]
    public void An_exported_model_scores_by_the_rule_of_the_run()
    {
        const string template = "{% for m in messages %}{{ m.role }}: {{ m.content }} {% endfor %}";
        using var folder = TokenizerFolder.ByteLevel($$"""{"eos_token": "</s>", "chat_template": "{{template}}"}""");
        var config = TinyModel.Config("llama");
        config["vocab_size"] = 265;
        File.WriteAllText(directory["config.json"], config.ToJsonString());
        File.WriteAllLines(directory["train.jsonl"], Enumerable.Range(0, 20).Select(i => JsonSerializer.Serialize(
            new { messages = new[] { new { role = "user", content = $"hello {i}" } }, answers = new[] { "world", "wo" } })));
        new TrainingRun(Options with { Tokenizer = folder.Directory, Steps = 2 }).Run();
        TrainingRun.Export(directory["model"], best: true, directory["exported"]);
        Assert.Contains("\"text_is_chat\": true", File.ReadAllText(directory["model/reward_model.json"]));
        Assert.Equal(
            File.ReadAllText(directory["model/reward_model.json"]), File.ReadAllText(directory["exported/reward_model.json"]));
    }

    [Fact]
    public void Trained_layers_are_not_exported_with_frozen_ones_of_another_backbone()
    {
        new TrainingRun(Options with { Output = directory["backbone"], Steps = 1 }).Run();
        var options = Options with { Config = null, Backbone = directory["backbone"], UnfrozenLayers = 1, Steps = 1 };
        new TrainingRun(options).Run();
        TrainingRun.Export(directory["model"], best: false, directory["exported"]);
        Directory.Delete(directory["backbone"], recursive: true);
        new TrainingRun(Options with { Output = directory["backbone"], Steps = 2 }).Run();
        Assert.Contains(
            "the frozen weights are not the same",
            Assert.Throws<RunDirectoryException>(
                () => TrainingRun.Export(directory["model"], best: false, directory["mixed"])).Message);
    }

    [Fact]
    public void A_directory_of_other_files_stays_as_it_is()
    {
        Directory.CreateDirectory(directory["other"]);
        File.WriteAllText(directory["other/file"], "");
        var error = Assert.Throws<RunDirectoryException>(() => new TrainingRun(Options with { Output = directory["other"] }).Run());
        Assert.Equal($"'{directory["other"]}' is not empty. Give a new --output, so that no file is overwritten.", error.Message);
        Assert.Equal([directory["other/file"]], Directory.GetFileSystemEntries(directory["other"]));
        error = Assert.Throws<RunDirectoryException>(() => new TrainingRun(Options with { Output = directory["train.jsonl"] }).Run());
        Assert.Equal($"'{directory["train.jsonl"]}' is a file; give a directory as --output.", error.Message);
    }

    [Fact]
    public void Too_many_epochs_are_refused()
    {
        var options = Options with { Epochs = int.MaxValue, Steps = null, EvaluationFraction = 0 };
        Assert.Equal(
            "Epochs (--epochs) is 2147483647; expected at most 268435455, as an epoch has 8 steps.",
            Assert.Throws<ArgumentException>(() => new TrainingRun(options).Plan()).Message);
    }

    [Fact]
    public void A_plan_tells_everything_once()
    {
        File.AppendAllLines(directory["train.jsonl"], ["""{"prompt_ids": [60], "answer_ids": [[7, 2], [7, 2]]}"""]);
        new TrainingRun(Options with { EvaluationFraction = 0 }, Logger).Plan();
        var lines = log.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(lines.Distinct(), lines);
    }

    [Fact]
    public void Weights_that_are_not_finite_are_never_saved()
    {
        var error = Assert.Throws<TrainingDivergedException>(
            // A weight is multiplied by -99 in each step.
            () => new TrainingRun(Options with
            {
                Steps = 60,
                LearningRate = 10,
                WeightDecay = 10,
                Schedule = ScheduleKind.Constant,
                SaveInterval = 1,
                EvaluationFraction = 0,
            }).Run());
        Assert.InRange(error.Step, 3, 25);
        Assert.False(File.Exists(directory["model/model.safetensors"]));
        using var scope = TorchSharp.torch.NewDisposeScope();
        var files = Directory.GetFiles(directory["model/training/states"], "*.safetensors", SearchOption.AllDirectories);
        Assert.NotEmpty(files);
        foreach (var file in files.Select(SafetensorsFile.Open))
            using (file)
                Assert.All(file.Entries, entry => Assert.True(FiniteNumbers.AreIn(TensorBytes.Read(file, entry, null))));
    }

    private void StopAfter(int step)
    {
        using var stop = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => new TrainingRun(Options).Run(new Reports(taken =>
        {
            if (taken == step)
                stop.Cancel();
        }), stop.Token));
    }

    private sealed class Reports(Action<int> onStep) : IProgress<TrainingReport>
    {
        public void Report(TrainingReport value)
        {
            if (value is StepReport)
                onStep(value.Step);
        }
    }
}
