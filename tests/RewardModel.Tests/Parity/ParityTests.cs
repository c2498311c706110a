using System.Text.Json;
using System.Text.Json.Nodes;
using RewardModel.Lists;
using RewardModel.Packing;
using RewardModel.Ranking;
using RewardModel.Scoring;
using RewardModel.Training;
using RewardModel.Training.Optimization;
using RewardModel.Training.Reporting;
using static TorchSharp.torch;

namespace RewardModel.Tests.Parity;

/// <summary>Every number of the reference implementation, within the tolerances that README.md of this folder reasons for.</summary>
public class ParityTests
{
    [Theory, MemberData(nameof(ParityModel.OfRepositoryInBothSpellings), MemberType = typeof(ParityModel))]
    public void Equals_the_reference(string name, string config)
    {
        using var model = ParityModel.OfRepository(name, config);
        CompareAll(model);
    }

    [SharedTheory("goldens"), MemberData(nameof(ParityModel.OfSharedSetInBothSpellings), MemberType = typeof(ParityModel))]
    public void Equals_the_reference_on_the_larger_set(string name, string config)
    {
        using var model = ParityModel.OfSharedSet(name, config);
        CompareAll(model);
    }

    private static void CompareAll(ParityModel model)
    {
        var isCausal = CompareRewardsAndHiddenStates(model);
        foreach (var shares in isCausal ? new[] { true, false } : [false])
        {
            CompareLossAndGradients(model, RankingLoss.ByName("log-sigmoid"), "logsigmoid", shares);
            CompareLossAndGradients(model, RankingLoss.ByName("sigmoid"), "sigmoid", shares);
        }
        CompareTraining(model, "constant", new TrainingOptions { Schedule = ScheduleKind.Constant, MaxGradientNorm = 0 });
        CompareTraining(model, "clip_warmup", new TrainingOptions { Schedule = ScheduleKind.Linear, WarmupSteps = 2, MaxGradientNorm = 1 });
    }

    private static bool CompareRewardsAndHiddenStates(ParityModel model)
    {
        using var transformer = model.Load();
        var expected = model.Expected["batch"]!;
        var rewards = new RewardScorer(transformer).Score(model.BatchRows());
        Close(expected["rewards"].Deserialize<float[]>()!, [.. rewards.Select(row => row[0])], 1e-5);
        var ranked = new RewardScorer(transformer).Score(model.RankedLists());
        Close(
            [.. model.Expected["ranking"]!["rewards"].Deserialize<float[][]>()!.SelectMany(row => row)],
            [.. ranked.SelectMany(row => row)], 1e-5);
        foreach (var (name, extra) in model.Expected["extra_cases"]?.AsObject() ?? [])
            CompareExtraCase(transformer, name, extra!);

        using var scope = NewDisposeScope();
        using var _ = no_grad();
        transformer.eval();
        using var sequences = transformer.Pack(model.BatchRows());
        var hidden = transformer.Backbone.call(sequences);
        using var values = hidden.data<float>();
        var hiddenValues = values.ToArray();
        var width = transformer.Backbone.HiddenSize;
        using var lastRows = sequences.ScoredRows.data<long>();
        var lengths = expected["lengths"].Deserialize<int[]>()!;
        foreach (var entry in expected["final_hidden"]!["entries"]!.AsArray())
        {
            var (row, position, channel) = ((int)entry![0]!, (int)entry[1]!, (int)entry[2]!);
            var found = hiddenValues[(lastRows[row] - lengths[row] + 1 + position) * width + channel];
            Assert.InRange(Math.Abs(found - (float)entry[3]!), 0, 2e-5);
        }
        var sumOfMagnitudes = (double)expected["final_hidden"]!["sum_abs"]!;
        var sum = hiddenValues.Sum(value => (double)value);
        Assert.InRange(Math.Abs(sum - (double)expected["final_hidden"]!["sum"]!), 0, 1e-6 * sumOfMagnitudes);
        return transformer.Backbone.IsCausal;
    }

    private static void CompareExtraCase(RewardTransformer transformer, string name, JsonNode extra)
    {
        var ids = extra["input_ids"].Deserialize<int[][]>()!;
        var mask = extra["attention_mask"].Deserialize<int[][]>()!;
        var types = extra["token_type_ids"].Deserialize<int[][]>();
        // Padding on the left shifts learned positions, where the architecture does not take them from the mask; there is no padding here.
        if (name == "left_padded" && !(bool)extra["same_as_right_padded"]!)
            return;
        var rows = ids.Select((row, b) =>
        {
            int[] real = [.. row.Where((_, i) => mask[b][i] == 1)];
            // transformers reads a decoder's reward before a pad id, attended to or not; here the reward is read at the last token.
            if (name == "pad_id_as_last_real_token" && transformer.Backbone.IsCausal)
                real = real[..^1];
            var promptLength = types is null ? 0 : Math.Min(types[b].Count(type => type == 0), real.Length - 1);
            return new TokenizedList(real[..promptLength], [real[promptLength..]], [0])
            {
                AnswerTokenType = types?[b][promptLength] ?? 0,
            };
        }).ToArray();
        Close(
            extra["rewards"].Deserialize<float[]>()!, [.. new RewardScorer(transformer).Score(rows).Select(row => row[0])], 1e-5);
    }

    private static void CompareLossAndGradients(ParityModel model, RankingLoss loss, string name, bool sharePrompts)
    {
        using var scope = NewDisposeScope();
        using var transformer = model.Load();
        var expected = model.Expected["ranking"]![name]!;
        var lists = model.RankedLists();
        using var sequences = PackedSequences.Pack(lists, sharePrompts);
        using var targets = loss.TargetsOf([.. lists.Select(RankingList.Of)]);
        transformer.train();
        var value = loss.Sum(transformer.call(sequences), targets).div(lists.Count);
        value.backward();

        Assert.InRange(Math.Abs(value.item<float>() - (float)expected["loss"]!), 0, 1e-5);
        using var optimizer = new AdamW(transformer.CheckpointParameters.Select(WeightPart.Of), new AdamWOptions());
        Near((double)expected["grad_norm"]!, optimizer.GradientNorm(), absolute: 0, relative: 1e-5);
        var gradients = transformer.CheckpointParameters.ToDictionary(pair => pair.Name, pair => pair.Parameter.grad!);
        Assert.Equal(gradients.Keys.Order(), expected["grads"]!.AsObject().Select(pair => pair.Key).Order());
        foreach (var (parameter, expectedGradient) in expected["grads"]!.AsObject())
        {
            using var data = gradients[parameter].contiguous().data<float>();
            var values = data.ToArray();
            Near((double)expectedGradient!["norm"]!, Math.Sqrt(values.Sum(v => (double)v * v)), absolute: 1e-5, relative: 1e-5);
            foreach (var entry in expectedGradient["entries"]!.AsArray())
                Near((float)entry![1]!, values[(int)entry[0]!], absolute: 1e-5, relative: 1e-5);
        }
    }

    private static void CompareTraining(ParityModel model, string run, TrainingOptions options)
    {
        using var transformer = model.Load();
        var expected = model.Expected["training"]!["runs"]![run]!;
        var lists = model.RankedLists();
        var reports = new Collected();
        options = options with
        {
            Steps = 5,
            LearningRate = 1e-3,
            ListsPerStep = lists.Count,
            WeightDecay = 0.01,
            DecayAll = true,
        };
        new Trainer(transformer, options, lists, [], progress: reports).Train();

        Close(expected["lr"].Deserialize<double[]>()!, reports.Steps.Select(step => step.LearningRate).ToArray(), 1e-12);
        Close(expected["losses"].Deserialize<double[]>()!, reports.Steps.Select(step => step.Loss).ToArray(), 1e-5);
        foreach (var (norm, step) in expected["grad_norms"].Deserialize<double[]>()!.Zip(reports.Steps))
            Near(norm, step.GradientNorm, absolute: 0, relative: 1e-4);

        var scorer = new RewardScorer(transformer);
        var rewards = scorer.Score(lists);
        var mean = rewards.SelectMany(row => row).Average(reward => (double)reward);
        Close(
            expected["final_rewards_centered"].Deserialize<double[][]>()!.SelectMany(row => row).ToArray(),
            rewards.SelectMany(row => row).Select(reward => reward - mean).ToArray(), 5e-5);
        Close(
            expected["final_batch_rewards_centered"].Deserialize<double[]>()!,
            scorer.Score(model.BatchRows()).Select(row => row[0] - mean).ToArray(), 5e-5);

        var wandering = model.Expected["noise"]!["parameters_that_wander"].Deserialize<string[]>()!;
        var after = transformer.CheckpointParameters.ToDictionary(pair => pair.Name, pair => pair.Parameter);
        foreach (var (parameter, expectedValues) in expected["parameters_after"]!.AsObject().Where(pair => !wandering.Contains(pair.Key)))
        {
            using var data = after[parameter].detach().data<float>();
            var values = data.ToArray();
            Near((double)expectedValues!["norm"]!, Math.Sqrt(values.Sum(v => (double)v * v)), absolute: 1e-4, relative: 0);
            var entry = expectedValues["entries"]![0]!;
            Near((float)entry[1]!, values[(int)entry[0]!], absolute: 1e-4, relative: 0);
        }
    }

    private static void Close(float[] expected, float[] found, double tolerance) =>
        Close(expected.Select(value => (double)value).ToArray(), found.Select(value => (double)value).ToArray(), tolerance);

    private static void Close(double[] expected, double[] found, double tolerance)
    {
        Assert.Equal(expected.Length, found.Length);
        for (var i = 0; i < expected.Length; i++)
            Near(expected[i], found[i], tolerance, relative: 0);
    }

    private static void Near(double expected, double found, double absolute, double relative) =>
        Assert.True(
            Math.Abs(expected - found) <= absolute + relative * Math.Abs(expected),
            FormattableString.Invariant($"expected {expected:R} within {absolute} + {relative} relative, found {found:R}"));

    private sealed class Collected : IProgress<TrainingReport>
    {
        public List<StepReport> Steps { get; } = [];

        public void Report(TrainingReport value) => Steps.Add(Assert.IsType<StepReport>(value));
    }
}
