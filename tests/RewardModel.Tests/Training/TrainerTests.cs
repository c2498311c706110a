using System.Globalization;
using System.Runtime.InteropServices;
using RewardModel.Cli;
using RewardModel.Kernels;
using RewardModel.Lists;
using RewardModel.Ranking;
using RewardModel.Scoring;
using RewardModel.Tests.Parity;
using RewardModel.Training;
using RewardModel.Training.Data;
using RewardModel.Training.Optimization;
using RewardModel.Training.Reporting;
using RewardModel.Training.Runs;
using static TorchSharp.torch;

namespace RewardModel.Tests.Training;

/// <summary>Alone, because torch's default generator and its count of tensors are those of the whole process.</summary>
[Collection(nameof(RunsAlone))]
public class TrainerTests
{
    private static readonly TrainingOptions options = new()
    {
        Steps = 8,
        LearningRate = 3e-3,
        Schedule = ScheduleKind.Constant,
        ListsPerStep = 5,
        EvaluationInterval = 2,
        SaveInterval = 3,
    };

    private static readonly TokenizedList[] lists =
        [.. Enumerable.Range(0, 17).Select(i => TinyModel.List((ulong)i, i % 6, 3, 1 + i % 4, 5))];
    private static readonly TokenizedList[] heldOut = [.. Enumerable.Range(100, 6).Select(i => TinyModel.List((ulong)i, 4, 3, 4))];

    [Fact]
    public void Learns_an_order_that_no_bag_of_tokens_shows()
    {
        using var model = TinyModel.Create();
        var before = Accuracy(model, TinyModel.OrderTask(200, seed: 2));
        var longRun = new TrainingOptions { Steps = 150, LearningRate = 3e-3, ListsPerStep = 32 };
        new Trainer(model, longRun, TinyModel.OrderTask(400, seed: 1), []).Train();
        Assert.InRange(before, 0.2, 0.8);
        Assert.InRange(Accuracy(model, TinyModel.OrderTask(200, seed: 2)), 0.95, 1);
    }

    [Theory]
    [InlineData("gpt2")]
    [InlineData("llama")]
    public void Training_in_bfloat16_stays_near_that_in_float32(string architecture)
    {
        (double[] Losses, double Accuracy) Train(Precision precision)
        {
            using var model = TinyModel.Create(architecture);
            var reports = new StepReports();
            var run = new TrainingOptions { Steps = 150, LearningRate = 3e-3, ListsPerStep = 32, Precision = precision };
            new Trainer(model, run, TinyModel.OrderTask(400, seed: 1), [], progress: reports).Train();
            return ([.. reports.Steps.Select(report => report.Loss)], Accuracy(model, TinyModel.OrderTask(200, seed: 2)));
        }

        var (expected, expectedAccuracy) = Train(Precision.Float32);
        var (found, accuracy) = Train(Precision.Bfloat16);
        if (!Bfloat16Support.IsOnProcessor)
        {
            // Without instructions for it, it is computed in float32.
            Assert.Equal(expected, found);
            Assert.Equal(expectedAccuracy, accuracy);
            return;
        }
        // At the start only rounding differs, about 2^-8 of a reward's parts; later the runs take their own ways to the same end.
        Assert.InRange(expected[..10].Zip(found).Max(losses => Math.Abs(losses.First - losses.Second)), 1e-6, 0.02);
        Assert.InRange(expected[^10..].Zip(found[^10..]).Max(losses => Math.Abs(losses.First - losses.Second)), 0, 0.05);
        Assert.InRange(accuracy - expectedAccuracy, -0.02, 0.02);
    }

    [Fact]
    public void After_training_in_bfloat16_the_model_computes_as_before()
    {
        using var model = TinyModel.Create();
        new Trainer(model, options with { Precision = Precision.Bfloat16 }, lists, []).Train();
        Assert.Equal(Precision.Float32, model.Precision);
    }

    [Fact]
    public void The_same_seed_gives_the_same_weights_and_another_one_others()
    {
        Assert.Equal(TrainedWeights(options), TrainedWeights(options));
        Assert.NotEqual(TrainedWeights(options), TrainedWeights(options with { Seed = 1 }));
    }

    [Theory]
    [InlineData(LossNormalization.PerList, 0)]
    [InlineData(LossNormalization.PerPair, 0)]
    [InlineData(LossNormalization.PerList, 0.2)]
    public void Micro_batches_change_nothing_but_rounding(LossNormalization normalization, double dropout)
    {
        // Budgets: a whole step at once; about two lists; a single list; and parts of one list, in two passes.
        var perNormalization = options with { LossNormalization = normalization, Steps = 3 };
        var (whole, wholeReports) = Train(perNormalization, dropout);
        foreach (var budget in new[] { 25, 14, 6 })
        {
            var (weights, reports) = Train(perNormalization with { MaxTokensPerBatch = budget }, dropout);
            foreach (var (expected, found) in wholeReports.Zip(reports))
            {
                Assert.Equal(expected.Loss, found.Loss, 1e-6);
                Assert.Equal(expected.GradientNorm, found.GradientNorm, 1e-5);
            }
            Assert.Equal(0, LargestDifference(whole, weights), 2e-4);
        }
    }

    [Fact]
    public void A_list_in_parts_draws_the_same_dropout_in_both_passes()
    {
        var (_, first) = Train(options with { MaxTokensPerBatch = 6 }, dropout: 0.3);
        var (_, second) = Train(options with { MaxTokensPerBatch = 6 }, dropout: 0.3);
        Assert.Equal(first.Select(step => step.GradientNorm), second.Select(step => step.GradientNorm));
    }

    [Theory]
    [InlineData(0.0, 8192)]
    [InlineData(0.2, 8192)]
    [InlineData(0.0, 6)]
    [InlineData(0.2, 6)]
    public void Checkpointing_changes_no_bit_of_a_run(double dropout, int budget)
    {
        var run = options with { MaxTokensPerBatch = budget, Steps = 3 };
        var (expected, expectedReports) = Train(run, dropout);
        var (weights, reports) = Train(run with { ActivationCheckpointing = true }, dropout);
        Assert.Equal(expectedReports.Select(step => step.Loss), reports.Select(step => step.Loss));
        Assert.Equal(expected, weights);
    }

    [Fact]
    public void Checkpointing_can_be_switched_on_and_off_when_a_run_is_resumed()
    {
        using var directory = new TemporaryDirectory();
        using (var model = TinyModel.Create("gpt2", dropout: 0.2))
            Assert.Throws<Killed>(() => new Trainer(
                model, options with { ActivationCheckpointing = true }, lists, heldOut, new RunDirectory(directory.Path), new KillAfter(5))
                .Train());
        using var resumed = TinyModel.Create("gpt2", dropout: 0.2, seed: 77);
        new Trainer(resumed, options, lists, heldOut, new RunDirectory(directory.Path)).Train(resume: true);
        Assert.Equal(TrainedWeights(options, dropout: 0.2), Weights(resumed));
    }

    [Fact]
    public void A_run_is_resumed_with_its_lists_in_a_cache_to_the_bit()
    {
        using var directory = new TemporaryDirectory();
        TokenizedList[] evaluated = [.. heldOut, new([1, 2], [[3], [4, 5], [3]], [2, 1, 0])];
        using var straight = TinyModel.Create("gpt2");
        new Trainer(straight, options, lists, evaluated).Train();
        using (var model = TinyModel.Create("gpt2"))
            Assert.Throws<Killed>(() =>
                new Trainer(model, options, lists, evaluated, new RunDirectory(directory["run"]), new KillAfter(5)).Train());
        using var writer = new ListCache(directory["cache"]).Create("key");
        foreach (var list in lists.Concat(evaluated))
            writer.Add(list, ListKeys.Of(list));
        using var all = writer.Finish();
        using var resumed = TinyModel.Create("gpt2", seed: 77);
        new Trainer(
            resumed, options, new ListSubset(all, [.. Enumerable.Range(0, lists.Length)]),
            new ListSubset(all, [.. Enumerable.Range(lists.Length, evaluated.Length)]), new RunDirectory(directory["run"])).Train(resume: true);
        Assert.Equal(Weights(straight), Weights(resumed));
    }

    [Fact]
    public void Checkpointing_takes_half_the_memory_of_a_step()
    {
        using var directory = new TemporaryDirectory();
        var config = TinyModel.Config("gpt2");
        (config["n_embd"], config["n_layer"], config["n_positions"]) = (96, 8, 512);
        File.WriteAllText(directory["config.json"], config.ToJsonString());
        long Peak(bool checkpointing) => ChildProgram.Measure("train", directory["config.json"], $"{checkpointing}").Single();
        Assert.InRange(Peak(true) / (double)Peak(false), 0.2, 0.5);
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(0.2)]
    public void A_run_cut_off_after_any_step_and_resumed_ends_with_the_same_bits(double dropout)
    {
        using var straightDirectory = new TemporaryDirectory();
        var straight = TrainedWeights(options, straightDirectory, dropout);
        for (var killedAfter = 1; killedAfter < options.Steps; killedAfter++)
        {
            using var directory = new TemporaryDirectory();
            using (var model = TinyModel.Create("gpt2", dropout))
                Assert.Throws<Killed>(() => new Trainer(
                    model, options, lists, heldOut, new RunDirectory(directory.Path), new KillAfter(killedAfter)).Train());
            using var resumed = TinyModel.Create("gpt2", dropout, seed: 77);
            var startsAnew = killedAfter <= options.SaveInterval;
            using var again = startsAnew ? TinyModel.Create("gpt2", dropout) : null;
            var result = new Trainer(again ?? resumed, options, lists, heldOut, new RunDirectory(directory.Path)).Train(resume: true);
            Assert.Equal(straight, Weights(again ?? resumed));
            Assert.Equal(options.Steps, result.StepCount);
        }
    }

    [Fact]
    public void A_finished_run_resumed_does_nothing_more()
    {
        using var directory = new TemporaryDirectory();
        var weights = TrainedWeights(options, directory);
        using var model = TinyModel.Create("gpt2", seed: 5);
        var reports = new StepReports();
        new Trainer(model, options, lists, heldOut, new RunDirectory(directory.Path), reports).Train(resume: true);
        Assert.Empty(reports.Steps);
        Assert.Equal(weights, Weights(model));
    }

    [Fact]
    public void Resuming_another_run_tells_every_difference()
    {
        using var directory = new TemporaryDirectory();
        TrainedWeights(options, directory);
        using var model = TinyModel.Create("gpt2");
        var changed = options with { LearningRate = 1e-3, Loss = "sigmoid" };
        var error = Assert.Throws<RunDirectoryException>(() => new Trainer(
            model, changed, lists[..^1], heldOut, new RunDirectory(directory.Path)).Train(resume: true));
        Assert.Equal(
            $"The run in '{directory.Path}' can't be resumed, because it was started differently: --learning-rate was 0.003 and is now "
            + "0.001; --loss was \"log-sigmoid\" and is now \"sigmoid\"; the training lists are not the same. "
            + "Use the options, data, model and tokenizer that it was started with, or another directory.",
            error.Message);
    }

    [Fact]
    public void A_run_on_other_token_types_is_another_one()
    {
        using var directory = new TemporaryDirectory();
        TrainedWeights(options, directory);
        using var model = TinyModel.Create("gpt2");
        TokenizedList[] typed = [.. heldOut.Select(list => list with { AnswerTokenType = 1 })];
        var error = Assert.Throws<RunDirectoryException>(
            () => new Trainer(model, options, lists, typed, new RunDirectory(directory.Path)).Train(resume: true));
        Assert.Contains("the held-out lists are not the same", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_model_ends_with_the_best_evaluated_weights(bool keepsThemInADirectory)
    {
        using var directory = new TemporaryDirectory();
        using var model = TinyModel.Create();
        // Held-out lists that are ranked the other way round: what the model learns makes it worse.
        TokenizedList[] reversed = [.. lists.Select(list => list with { Scores = [.. list.Scores.Select(score => -score)] })];
        var evaluations = new Evaluations();
        var result = new Trainer(
            model, options with { Steps = 12, EvaluationInterval = 1 }, lists, reversed,
            keepsThemInADirectory ? new RunDirectory(directory.Path) : null, evaluations).Train();
        Assert.Equal(evaluations.All.Max(evaluation => evaluation.Metrics.Accuracy), result.BestEvaluation!.Metrics.Accuracy);
        Assert.True(result.BestEvaluation.Metrics.Accuracy > result.FinalEvaluation!.Metrics.Accuracy);
        Assert.Equal(result.BestEvaluation.Metrics.Accuracy, Accuracy(model, reversed), 1e-12);
    }

    [Fact]
    public void Stops_early_when_accuracy_does_not_rise()
    {
        using var model = TinyModel.Create();
        var still = options with { LearningRate = 1e-12, Steps = 100, EvaluationInterval = 2, EarlyStopPatience = 3 };
        var result = new Trainer(model, still, lists, heldOut).Train();
        Assert.Equal((6, true), (result.StepCount, result.StoppedEarly));
    }

    [Fact]
    public void A_loss_that_is_not_finite_stops_before_the_update_and_names_step_and_lists()
    {
        using var model = TinyModel.Create();
        using (no_grad())
            model.CheckpointParameters.Single(pair => pair.Name == "score.weight").Parameter.fill_(float.NaN);
        var before = Weights(model);
        TokenizedList[] sourced = [lists[1] with { Source = new SourceLine("train.jsonl", 7) }];
        var error = Assert.Throws<TrainingDivergedException>(() => new Trainer(model, options, sourced, []).Train());
        Assert.Equal(1, error.Step);
        Assert.Equal(
            "Step 1: the loss is NaN. The weights have not been changed by this step. Its lists: train.jsonl:7. "
            + "Inspect those lists, lower the learning rate, or set a smaller maximum gradient norm.",
            error.Message);
        Assert.Equal(before, Weights(model));
    }

    [Fact]
    public void Lists_without_a_pair_are_left_out_and_none_left_is_an_error()
    {
        using var model = TinyModel.Create();
        TokenizedList tied = lists[0] with { Scores = [1, 1, 1] };
        var error = Assert.Throws<ArgumentException>(() => new Trainer(model, options, [tied, tied], []));
        Assert.Equal(
            "The training set (2 lists) has no ordered pair; "
            + "expected lists of two or more answers that are not all tied or equal. (Parameter 'trainLists')",
            error.Message);
        Assert.Equal(
            TrainedWeights(options with { Steps = 2, ListsPerStep = 100 }, lists: lists),
            TrainedWeights(options with { Steps = 2, ListsPerStep = 100 }, lists: [.. lists, tied]).AsSpan());
    }

    /// <summary>
    /// An answer that stands in its list twice makes its pair twice, and none with itself: the same mean as once, also where its scores
    /// differ. The budgets put all into one batch, and a list into parts.
    /// </summary>
    [Theory]
    [InlineData(8192)]
    [InlineData(8)]
    public void Equal_answers_make_no_pair_and_have_the_gradients_of_all_their_pairs(int budget)
    {
        var run = options with { Steps = 3, ListsPerStep = 2, MaxTokensPerBatch = budget };
        TokenizedList[] plain = [TinyModel.List(1, 4, 3, 5), TinyModel.List(2, 6, 3, 4)];
        var expected = Steps(plain);
        foreach (var scores in new double[][] { [2, 0, 2], [2, 0, 1], [1, 0, 2] })
        {
            var found = Steps([.. plain.Select(list => list.WithAnswers([0, 1, 0]) with { Scores = scores })]);
            foreach (var (one, other) in expected.Zip(found))
            {
                Assert.Equal(one.Loss, other.Loss, 1e-6);
                Assert.Equal(one.GradientNorm, other.GradientNorm, 1e-5);
                Assert.Equal(one.Accuracy, other.Accuracy);
            }
        }
        // One pair each way: the gradients are those of -log sigmoid(x) - log sigmoid(-x), half of them.
        var both = Steps([plain[0].WithAnswers([0, 1, 0]) with { Scores = [2, 1, 0] }]);
        Assert.Equal(0.5, both[0].Accuracy);
        var oneWay = Steps([plain[0]])[0];
        var otherWay = Steps([plain[0] with { Scores = [0, 1] }])[0];
        Assert.Equal((oneWay.Loss + otherWay.Loss) / 2, both[0].Loss, 1e-6);
        // In opposite directions, so that the shorter one is taken off.
        Assert.Equal(Math.Abs(oneWay.GradientNorm - otherWay.GradientNorm) / 2, both[0].GradientNorm, 1e-5);

        List<StepReport> Steps(TokenizedList[] some)
        {
            using var model = TinyModel.Create();
            var reports = new StepReports();
            new Trainer(model, run, some, [], progress: reports).Train();
            return reports.Steps;
        }
    }

    [Fact]
    public void Equal_answers_are_named_and_lists_of_nothing_else_left_out()
    {
        using var model = TinyModel.Create();
        using var log = new StringWriter { NewLine = "\n" };
        TokenizedList equal = new([1], [[2], [2]], [1, 0], new SourceLine("train.jsonl", 17));
        TokenizedList partly = new([1], [[2], [3], [2]], [2, 1, 0], new SourceLine("eval.jsonl", 4));
        _ = new Trainer(model, options, [.. lists, equal], [.. heldOut, partly], logger: new LineLogger(log.WriteLine));
        Assert.Equal(
            """
            warning: 1 of 18 training lists has answers that are equal token for token (train.jsonl:17): such answers form no pair
            warning: 1 of 7 held-out lists has answers that are equal token for token (eval.jsonl:4): such answers form no pair
            warning: 1 of 18 training lists has no ordered pair (one answer, or all answers tied or equal): not trained on

            """.ReplaceLineEndings("\n"), log.ToString());
        Assert.StartsWith(
            "The training set (1 list) has no ordered pair; ",
            Assert.Throws<ArgumentException>(() => new Trainer(model, options, [equal], [])).Message);
        Assert.StartsWith(
            "The held-out set (1 list) has no ordered pair",
            Assert.Throws<ArgumentException>(() => new Trainer(model, options, lists, [equal])).Message);
    }

    [Fact]
    public void Held_out_lists_without_a_pair_can_choose_no_weights()
    {
        using var model = TinyModel.Create();
        TokenizedList single = TinyModel.List(1, 3, 4);
        Assert.Equal(
            "The held-out set (1 list) has no ordered pair, so there is no accuracy to choose the best weights by; "
            + "provide other held-out lists, or none. (Parameter 'heldOutLists')",
            Assert.Throws<ArgumentException>(() => new Trainer(model, options, lists, [single])).Message);
    }

    [Fact]
    public void Lists_fit_by_what_each_answer_is_read_with()
    {
        using var model = TinyModel.Create("gpt2");
        var list = TinyModel.List(1, 95, 1, 3);
        _ = new Trainer(model, options, [list with { OwnPromptIds = [null, [1, 2]] }], []);
        Assert.StartsWith(
            "1 list doesn't fit this GPT-2, which takes at most 96 tokens and ids from 0 to 60: (in memory) has 98 tokens. ",
            Assert.Throws<ArgumentException>(() => new Trainer(model, options, [list with { OwnPromptIds = [[1, 2], null] }], [])).Message);
        Assert.StartsWith(
            "1 list doesn't fit this GPT-2, which takes at most 96 tokens and ids from 0 to 60: (in memory) has the token id 61. ",
            Assert.Throws<ArgumentException>(
                () => new Trainer(model, options, [list with { OwnPromptIds = [null, [1, 61]] }], [])).Message);
    }

    [Fact]
    public void Lists_that_the_model_cannot_take_are_all_told_before_anything_is_computed()
    {
        using var model = TinyModel.Create("gpt2");
        TokenizedList tooLong = TinyModel.List(1, 90, 7, 3) with { Source = new SourceLine("a.jsonl", 4) };
        TokenizedList unknownId = new([1], [[2, 61], [3]], [1, 0], new SourceLine("a.jsonl", 9));
        Assert.Equal(
            "2 lists don't fit this GPT-2, which takes at most 96 tokens and ids from 0 to 60: a.jsonl:4 has 97 tokens; "
            + "a.jsonl:9 has the token id 61. Truncate the lists (--max-length), or use the tokenizer that belongs to the model.",
            Assert.Throws<ArgumentException>(() => new Trainer(model, options, [.. lists, tooLong], [unknownId])).Message);
    }

    [Fact]
    public void A_warm_up_as_long_as_the_run_is_refused()
    {
        using var model = TinyModel.Create();
        Assert.Equal(
            "WarmupSteps (--warmup-steps) is 8; expected fewer than the run's 8 steps.",
            Assert.Throws<ArgumentException>(() => new Trainer(model, options with { WarmupSteps = 8 }, lists, [])).Message);
    }

    [Theory]
    [InlineData(OptimizerKind.AdamW)]
    [InlineData(OptimizerKind.AdamW8Bit)]
    [InlineData(OptimizerKind.Adafactor)]
    public void Weights_that_no_loss_shows_stop_the_run_at_the_step_that_damages_them(OptimizerKind optimizer)
    {
        using var model = TinyModel.Create();
        // A row that no list has, which decay multiplies by -49.
        const string name = "model.embed_tokens.weight";
        TokenizedList[] without = [.. lists.Select(list => new TokenizedList(
            [.. list.PromptIds.Select(id => id % 60)], [.. list.AnswerIds.Select(ids => ids.Select(id => id % 60).ToArray())], [.. list.Scores]))];
        using (no_grad())
            model.CheckpointParameters.Single(pair => pair.Name == name).Parameter[60, 3] = 1e38f;
        var damaging = options with { Optimizer = optimizer, LearningRate = 5, WeightDecay = 10, SaveInterval = 1, EvaluationInterval = 1 };
        var error = Assert.Throws<TrainingDivergedException>(() => new Trainer(model, damaging, without, heldOut).Train());
        Assert.Equal(1, error.Step);
        Assert.StartsWith(
            $"Step 1: the weights, or what the optimiser keeps of them, are not finite after this step: '{name}'. Nothing is saved of them: the "
            + "newest saved state is from before it. Its lists: ", error.Message);
    }

    [Fact]
    public void A_reward_that_is_not_finite_stops_the_run_even_if_the_loss_is()
    {
        using var model = TinyModel.Create();
        using (no_grad())
            model.CheckpointParameters.Single(pair => pair.Name == "score.weight").Parameter.fill_(float.PositiveInfinity);
        Assert.Throws<TrainingDivergedException>(() => new Trainer(model, options, lists, []).Train());
    }

    [Fact]
    public void A_run_begun_anew_forgets_the_states_of_the_older_one()
    {
        using var directory = new TemporaryDirectory();
        TrainedWeights(options, directory);
        using (var model = TinyModel.Create("gpt2"))
            Assert.Throws<Killed>(() => new Trainer(
                model, options, lists, heldOut, new RunDirectory(directory.Path), new KillAfter(1)).Train());
        Assert.Null(new RunDirectory(directory.Path).NewestStep);
    }

    [Fact]
    public void No_tensors_are_left_behind_by_a_step()
    {
        using var model = TinyModel.Create();
        // What earlier tests left to the finalizer must not be counted.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var counts = new TensorCounts();
        new Trainer(model, options with { Steps = 50, EvaluationInterval = 7 }, lists, heldOut, progress: counts).Train();
        Assert.Equal(counts.AfterStep[2], counts.AfterStep[20]);
        Assert.Equal(counts.AfterStep[2], counts.AfterStep[50]);
    }

    [Fact]
    public void The_learning_curve_is_the_committed_one()
    {
        // 20 steps in full: a change to these figures needs a sentence in the changelog.
        using var parity = ParityModel.OfRepository("llama");
        using var model = parity.Load();
        var reports = new StepReports();
        new Trainer(model, options with { Steps = 20 }, lists, [], progress: reports).Train();
        var found = reports.Steps.Select(step => step.Loss.ToString("F6", CultureInfo.InvariantCulture)).ToArray();
        var expected = File.ReadAllLines(Path.Combine(Shared.RepositoryRoot, "tests/RewardModel.Tests/Training/losses.txt"));
        Assert.Equal(20, expected.Length);
        for (var step = 0; step < expected.Length; step++)
            Assert.True(
                Math.Abs(double.Parse(expected[step], CultureInfo.InvariantCulture) - reports.Steps[step].Loss) <= 2e-5,
                $"step {step + 1}: expected {expected[step]}; the run gave\n{string.Join('\n', found)}");
    }

    private static byte[] TrainedWeights(
        TrainingOptions options, TemporaryDirectory? directory = null, double dropout = 0, IReadOnlyList<TokenizedList>? lists = null)
    {
        using var model = TinyModel.Create("gpt2", dropout);
        var runDirectory = directory is null ? null : new RunDirectory(directory.Path);
        new Trainer(model, options, lists ?? TrainerTests.lists, heldOut, runDirectory).Train();
        return Weights(model);
    }

    private static (byte[] Weights, List<StepReport> Reports) Train(TrainingOptions options, double dropout = 0)
    {
        using var model = TinyModel.Create("llama", dropout);
        var reports = new StepReports();
        new Trainer(model, options, lists, [], progress: reports).Train();
        return (Weights(model), reports.Steps);
    }

    private static byte[] Weights(RewardTransformer model) =>
        [.. model.CheckpointParameters.SelectMany(pair => pair.Parameter.bytes.ToArray())];

    private static float LargestDifference(byte[] expected, byte[] found)
    {
        var a = MemoryMarshal.Cast<byte, float>(expected);
        var b = MemoryMarshal.Cast<byte, float>(found);
        float largest = 0;
        for (var i = 0; i < a.Length; i++)
            largest = Math.Max(largest, Math.Abs(a[i] - b[i]));
        return largest;
    }

    private static double Accuracy(RewardTransformer model, IReadOnlyList<TokenizedList> lists)
    {
        var metrics = new RewardModel.Training.Metrics.RankingMetricsAccumulator(RankingLoss.ByName("log-sigmoid"));
        foreach (var (rewards, list) in new RewardScorer(model).Score(lists).Zip(lists))
            metrics.Add(rewards, new(list.Scores));
        return metrics.Result.Accuracy;
    }

    private sealed class Killed : Exception;

    private sealed class KillAfter(int step) : IProgress<TrainingReport>
    {
        public void Report(TrainingReport value)
        {
            if (value is StepReport && value.Step == step)
                throw new Killed();
        }
    }

    private sealed class StepReports : IProgress<TrainingReport>
    {
        public List<StepReport> Steps { get; } = [];

        public void Report(TrainingReport value)
        {
            if (value is StepReport step)
                Steps.Add(step);
        }
    }

    private sealed class Evaluations : IProgress<TrainingReport>
    {
        public List<EvaluationReport> All { get; } = [];

        public void Report(TrainingReport value)
        {
            if (value is EvaluationReport evaluation)
                All.Add(evaluation);
        }
    }

    private sealed class TensorCounts : IProgress<TrainingReport>
    {
        public Dictionary<int, long> AfterStep { get; } = [];

        public void Report(TrainingReport value)
        {
            if (value is StepReport)
                AfterStep[value.Step] = Tensor.TotalCount;
        }
    }
}
