using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using RewardModel.Checkpoints;
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

/// <summary>Averages of weights during a run: <c>--ema</c> and <c>--average-last</c>.</summary>
[Collection(nameof(RunsAlone))]
public class AveragesTests
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

    // What the model learns makes it worse at them.
    private static readonly TokenizedList[] reversed =
        [.. lists.Select(list => list with { Scores = [.. list.Scores.Select(score => -score)] })];

    [Fact]
    public void With_a_moving_average_the_model_ends_with_that_of_the_weights_of_every_step()
    {
        const double decay = 0.8;
        var weights = WeightsOfSteps(options);
        var expected = weights[1].Select((_, i) =>
        {
            double sum = 0, shares = 0;
            for (var step = 1; step <= 8; step++)
                (sum, shares) = (sum * decay + weights[step][i], shares * decay + 1);
            return sum / shares;
        }).ToArray();
        foreach (var set in new[] { Array.Empty<TokenizedList>(), heldOut })
        {
            using var model = TinyModel.Create("gpt2");
            new Trainer(model, options with { Ema = decay, BestBy = BestBy.Last }, lists, set).Train();
            var found = Weights(model);
            Assert.Equal(0, expected.Zip(found).Max(pair => Math.Abs(pair.First - pair.Second)), 1e-6);
            Assert.True(found.Zip(weights[8]).Max(pair => Math.Abs(pair.First - pair.Second)) > 1e-4);
        }
    }

    [Fact]
    public void The_moving_average_is_what_is_evaluated_and_training_goes_on_without_it()
    {
        var (plain, averaged) = (new Reports(), new Reports());
        using var directory = new TemporaryDirectory();
        using (var model = TinyModel.Create("gpt2"))
            new Trainer(model, options, lists, heldOut, progress: plain).Train();
        using var other = TinyModel.Create("gpt2");
        var result = new Trainer(
            other, options with { Ema = 0.9, BestBy = BestBy.Loss }, lists, heldOut, new RunDirectory(directory.Path), averaged).Train();
        Assert.Equal(plain.Steps.Select(step => step.Loss), averaged.Steps.Select(step => step.Loss));
        Assert.Equal(plain.Evaluations[0].Metrics.Loss, averaged.Evaluations[0].Metrics.Loss);
        Assert.All(
            plain.Evaluations.Zip(averaged.Evaluations).Skip(2),
            pair => Assert.NotEqual(pair.First.Metrics.Loss, pair.Second.Metrics.Loss));
        Assert.Equal(result.BestEvaluation!.Metrics.Loss, LossOf(other, heldOut), 1e-9);
    }

    [Theory]
    [InlineData(0.9, null, BestBy.Last, 0.0)]
    [InlineData(0.9, null, BestBy.Loss, 0.2)]
    [InlineData(null, 3, BestBy.Loss, 0.0)]
    [InlineData(null, 3, BestBy.Last, 0.2)]
    public void A_run_cut_off_after_any_step_and_resumed_ends_with_the_same_bits(double? ema, int? last, BestBy bestBy, double dropout)
    {
        var run = options with { Ema = ema, AverageLast = last, BestBy = bestBy };
        var straight = new Reports();
        using var straightModel = TinyModel.Create("gpt2", dropout);
        using var straightDirectory = new TemporaryDirectory();
        new Trainer(straightModel, run, lists, heldOut, new RunDirectory(straightDirectory.Path), straight).Train();
        for (var killedAfter = 1; killedAfter <= run.Steps; killedAfter++)
        {
            using var directory = new TemporaryDirectory();
            using (var model = TinyModel.Create("gpt2", dropout))
                Assert.Throws<Killed>(() => new Trainer(
                    model, run, lists, heldOut, new RunDirectory(directory.Path), new Reports { KillAfter = killedAfter }).Train());
            using var resumed = TinyModel.Create("gpt2", dropout, seed: killedAfter <= run.SaveInterval ? 1 : 77);
            var reports = new Reports();
            new Trainer(resumed, run, lists, heldOut, new RunDirectory(directory.Path), reports).Train(resume: true);
            Assert.Equal(Weights(straightModel), Weights(resumed));
            Assert.Equal(straight.Evaluations[^1].Metrics, reports.Evaluations[^1].Metrics);
            // Finished, it does nothing more, and ends with the same.
            using var again = TinyModel.Create("gpt2", dropout, seed: 78);
            var nothing = new Reports();
            new Trainer(again, run, lists, heldOut, new RunDirectory(directory.Path), nothing).Train(resume: true);
            Assert.Empty(nothing.Steps);
            Assert.Equal(Weights(straightModel), Weights(again));
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_average_of_the_last_evaluations_is_the_mean_of_their_weights(bool hasDirectory)
    {
        using var directory = new TemporaryDirectory();
        var weights = WeightsOfSteps(options);
        using var model = TinyModel.Create("gpt2");
        var reports = new Reports();
        var result = new Trainer(
            model, options with { AverageLast = 3, BestBy = BestBy.Last }, lists, heldOut,
            hasDirectory ? new RunDirectory(directory.Path) : null, reports).Train();
        Assert.Equal([4, 6, 8], result.AverageEvaluation!.AverageOf!);
        Assert.Same(result.AverageEvaluation, result.BestEvaluation);
        Assert.Same(result.AverageEvaluation, reports.Evaluations[^1]);
        Assert.Null(result.FinalEvaluation!.AverageOf);
        var expected = weights[4].Select((_, i) => ((double)weights[4][i] + weights[6][i] + weights[8][i]) / 3).ToArray();
        // Rounded once, to float32.
        Assert.All(expected.Zip(Weights(model)), pair => Assert.Equal(pair.First, pair.Second, Math.Abs(pair.First) * 6e-8));
        Assert.Equal(result.AverageEvaluation.Metrics.Loss, LossOf(model, heldOut), 1e-9);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_better_one_of_the_average_and_the_best_weights_is_kept(bool hasDirectory)
    {
        using var log = new StringWriter { NewLine = "\n" };
        var run = options with { AverageLast = 2, BestBy = BestBy.Loss };
        var (result, weights) = Run(reversed);
        Assert.False(result.AverageEvaluation!.IsBest);
        Assert.Equal(0, result.BestEvaluation!.Step);
        Assert.Equal(WeightsOfSteps(options)[0], weights);
        Assert.Matches(
            @"^Average of the weights of steps 6, 8: held-out accuracy 0\.\d{4}, loss \d\.\d{4}; weights of step 0: 0\.\d{4}, \d\.\d{4}\. "
            + "By --best-by loss, the latter are kept$",
            log.ToString().Split('\n').Single(line => line.StartsWith("Average", StringComparison.Ordinal)));

        // Where the last step's weights are the best, these; the same lists, trained on, get better with every step.
        (result, weights) = Run(lists);
        Assert.False(result.AverageEvaluation!.IsBest);
        Assert.Equal(8, result.BestEvaluation!.Step);
        Assert.Equal(WeightsOfSteps(options)[8], weights);

        (TrainingResult, float[]) Run(TokenizedList[] evaluated)
        {
            using var directory = new TemporaryDirectory();
            using var model = TinyModel.Create("gpt2");
            var trained = new Trainer(
                model, run, lists, evaluated, hasDirectory ? new RunDirectory(directory.Path) : null, logger: new LineLogger(log.WriteLine))
                .Train();
            return (trained, Weights(model));
        }
    }

    [Fact]
    public void Stopped_early_a_run_averages_the_evaluations_that_there_were()
    {
        using var model = TinyModel.Create("gpt2");
        var result = new Trainer(
            model, options with { Steps = 20, AverageLast = 3, EarlyStopPatience = 2, BestBy = BestBy.Loss }, lists, reversed).Train();
        Assert.True(result.StoppedEarly);
        Assert.Equal([2, 4], result.AverageEvaluation!.AverageOf!);
    }

    [Fact]
    public void A_run_that_is_continued_is_that_of_more_steps()
    {
        var run = options with { AverageLast = 3, BestBy = BestBy.Last };
        using var directory = new TemporaryDirectory();
        using (var model = TinyModel.Create("gpt2"))
            new Trainer(model, run, lists, heldOut, new RunDirectory(directory.Path)).Train();
        using var continued = TinyModel.Create("gpt2", seed: 77);
        var result = new Trainer(continued, run with { Steps = 11 }, lists, heldOut, new RunDirectory(directory.Path)).Train(resume: true);
        Assert.Equal([8, 10, 11], result.AverageEvaluation!.AverageOf!);
        using var straight = TinyModel.Create("gpt2");
        new Trainer(straight, run with { Steps = 11 }, lists, heldOut).Train();
        Assert.Equal(Weights(straight), Weights(continued));
    }

    [Fact]
    public void The_log_has_one_line_of_the_average_however_often_a_run_is_resumed()
    {
        using var directory = new TemporaryDirectory();
        for (var run = 0; run < 3; run++)
        {
            var runDirectory = new RunDirectory(directory.Path);
            using var log = new TrainingLog(runDirectory.LogFile, runDirectory.NewestStep);
            using var model = TinyModel.Create("gpt2");
            new Trainer(model, options with { AverageLast = 2 }, lists, heldOut, runDirectory, new RunReports(log, null, null)).Train(resume: true);
        }
        var lines = File.ReadAllLines(new RunDirectory(directory.Path).LogFile).Select(line => JsonNode.Parse(line)!).ToArray();
        Assert.Equal("[6,8]", Assert.Single(lines, line => line["average_of"] is not null)["average_of"]!.ToJsonString());
        Assert.Equal([0, 2, 4, 6, 8, 8], lines.Where(line => line["metrics"] is not null).Select(line => (int)line["step"]!));
    }

    [Fact]
    public void A_state_holds_the_moving_average_and_another_decay_is_another_run()
    {
        using var directory = new TemporaryDirectory();
        using var model = TinyModel.Create("gpt2");
        new Trainer(model, options with { Ema = 0.9 }, lists, [], new RunDirectory(directory.Path)).Train();
        using (var reader = CheckpointReader.Open(directory["training/states/step-00000008/average"]))
            foreach (var (name, parameter) in model.CheckpointParameters)
            {
                using var saved = reader.Read(name);
                Assert.Equal(parameter.bytes.ToArray(), saved.bytes.ToArray());
            }
        Assert.Contains(
            "--ema was 0.9 and is now 0.99",
            Assert.Throws<RunDirectoryException>(() => new Trainer(
                model, options with { Ema = 0.99 }, lists, [], new RunDirectory(directory.Path)).Train(resume: true)).Message);
        Assert.Contains(
            "--ema was 0.9 and is now not set",
            Assert.Throws<RunDirectoryException>(() => new Trainer(
                model, options, lists, [], new RunDirectory(directory.Path)).Train(resume: true)).Message);
    }

    [Fact]
    public void Evaluated_weights_stay_as_long_as_a_run_may_end_with_them()
    {
        using var directory = new TemporaryDirectory();
        using var model = TinyModel.Create();
        using var trained = new TrainedWeights(model, SingleProcess.Instance);
        using var optimizer = new AdamW(model.CheckpointParameters.Select(WeightPart.Of), new AdamWOptions());
        var fingerprint = RunFingerprint.Of(options.OfEveryStep(), 12, [TinyModel.List(1, 2, 3, 4)], [], model, savedAs: null);
        var run = new RunDirectory(directory.Path);
        run.Begin();
        foreach (var step in new[] { 1, 2, 3 })
            run.SaveEvaluated(step, trained, count: 2);
        Assert.Equal([2, 3], run.EvaluatedSteps);
        run.Save(fingerprint, new TrainerState { Step = 3 }, trained, optimizer);
        foreach (var step in new[] { 4, 5, 6 })
            run.SaveEvaluated(step, trained, count: 2);
        // Killed here, the run goes on from step 3, and may end there.
        Assert.Equal([2, 3, 5, 6], run.EvaluatedSteps);
        run = new RunDirectory(directory.Path);
        Assert.True(run.TryRestore(fingerprint, trained, optimizer, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance, out _));
        Assert.Equal([2, 3], run.EvaluatedSteps);
        run.Begin();
        Assert.Empty(run.EvaluatedSteps);
    }

    [Fact]
    public void Averages_that_would_have_no_effect_are_refused()
    {
        using var model = TinyModel.Create("gpt2");
        Assert.Equal(
            "The training options can't be used: Ema (--ema) is 1; expected a number above 0 and below 1, such as 0.999; "
            + "AverageLast (--average-last) is 1; expected 2 to 1000; give --ema or --average-last, not both.",
            Assert.Throws<OptionsException>(() => new TrainingOptions { Ema = 1, AverageLast = 1 }.Validate()).Message);
        Assert.Equal(
            "AverageLast (--average-last) is 3, but there are no held-out lists to evaluate; give some, or use --ema.",
            Assert.Throws<ArgumentException>(() => new Trainer(model, options with { AverageLast = 3 }, lists, [])).Message);
        Assert.Equal(
            "AverageLast (--average-last) is 5; expected at most 4, as many evaluations as the run of 8 steps has after its start. "
            + "Evaluate more often (--eval-every).",
            Assert.Throws<ArgumentException>(() => new Trainer(model, options with { AverageLast = 5 }, lists, heldOut)).Message);
        _ = new Trainer(model, options with { AverageLast = 3, EvaluationInterval = 3 }, lists, heldOut);
    }

    [Fact]
    public void No_tensors_are_left_behind_by_a_step_with_averages()
    {
        var left = new[] { options, options with { Ema = 0.9 }, options with { AverageLast = 2 } }.Select(run =>
        {
            using var model = TinyModel.Create();
            GC.Collect();
            GC.WaitForPendingFinalizers();
            var before = Tensor.TotalCount;
            var reports = new Reports();
            new Trainer(model, run with { Steps = 50, EvaluationInterval = 5 }, lists, heldOut, progress: reports).Train();
            Assert.Equal(reports.TensorCounts[20], reports.TensorCounts[49]);
            return Tensor.TotalCount - before;
        }).ToArray();
        Assert.Equal([left[0], left[0], left[0]], left);
    }

    /// <summary>The weights before a run and after each of its steps, by steps.</summary>
    private static float[][] WeightsOfSteps(TrainingOptions options)
    {
        using var model = TinyModel.Create("gpt2");
        var weights = new List<float[]> { Weights(model) };
        new Trainer(model, options, lists, [], progress: new Reports { OnStep = () => weights.Add(Weights(model)) }).Train();
        return [.. weights];
    }

    private static float[] Weights(RewardTransformer model) =>
        [.. model.CheckpointParameters.SelectMany(pair => MemoryMarshal.Cast<byte, float>(pair.Parameter.bytes).ToArray())];

    private static double LossOf(RewardTransformer model, TokenizedList[] evaluated) => RewardModel.Training.Metrics.RankingMetrics.Of(
        new RewardScorer(model).Score(evaluated), [.. evaluated.Select(list => list.Scores)]).Loss;

    private sealed class Killed : Exception;

    private sealed class Reports : IProgress<TrainingReport>
    {
        public List<StepReport> Steps { get; } = [];

        public List<EvaluationReport> Evaluations { get; } = [];

        public Dictionary<int, long> TensorCounts { get; } = [];

        public int KillAfter { get; init; }

        public Action? OnStep { get; init; }

        public void Report(TrainingReport value)
        {
            if (value is EvaluationReport evaluation)
                Evaluations.Add(evaluation);
            if (value is not StepReport step)
                return;
            Steps.Add(step);
            TensorCounts[step.Step] = Tensor.TotalCount;
            OnStep?.Invoke();
            if (step.Step == KillAfter)
                throw new Killed();
        }
    }
}
