using System.Text.Json;
using RewardModel.Ranking;
using RewardModel.Scoring;
using RewardModel.Training;
using RewardModel.Training.Optimization;
using RewardModel.Training.Reporting;
using static TorchSharp.torch;

namespace RewardModel.Tests.Adapters;

/// <summary>Every number that transformers and peft compute with adapters which peft wrote, within the tolerances of the parity tests.</summary>
public class LoraParityTests
{
    public static TheoryData<string> Names => LoraGolden.Names;

    [Theory, MemberData(nameof(Names))]
    public void Rewards_equal_the_reference(string name)
    {
        using var golden = LoraGolden.Of(name);
        using var model = golden.Load();
        Assert.InRange(golden.Distance(model), 0, 1e-5);
    }

    [Theory, MemberData(nameof(Names))]
    public void Gradients_equal_the_reference(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = LoraGolden.Of(name);
        foreach (var sharesPrompts in new[] { true, false })
        {
            using var model = golden.Load();
            using var sequences = RewardModel.Packing.PackedSequences.Pack(golden.Lists, sharesPrompts && model.SharesPrompts);
            var ranking = RankingLoss.ByName("log-sigmoid");
            using var targets = ranking.TargetsOf([.. golden.Lists.Select(RankingList.Of)]);
            model.train();
            var loss = ranking.Sum(model.call(sequences), targets).div(golden.Lists.Count);
            loss.backward();

            var expected = golden.Expected["ranking"]!;
            Assert.InRange(Math.Abs(loss.item<float>() - (float)expected["loss"]!), 0, 1e-5);
            var found = ByPeftName(model);
            foreach (var (parameter, gradient) in expected["grads"]!.AsObject().Where(pair => !IsAdapterOfHead(pair.Key)))
            {
                var values = Values(found[PlainName(parameter)].grad!);
                Near((double)gradient!["norm"]!, Math.Sqrt(values.Sum(v => (double)v * v)), absolute: 1e-5, relative: 1e-5);
                foreach (var entry in gradient["entries"]!.AsArray())
                    Near((float)entry![1]!, values[(int)entry[0]!], absolute: 1e-5, relative: 1e-5);
            }
        }
    }

    [Theory, MemberData(nameof(Names))]
    public void Five_steps_equal_the_reference(string name)
    {
        using var golden = LoraGolden.Of(name);
        // There the head has an adapter, and here it is trained in full.
        if (golden.Expected["tensors"]!.AsObject().Any(pair => IsAdapterOfHead(pair.Key)))
            return;
        using var model = golden.Load();
        var expected = golden.Expected["training"]!;
        var reports = new List<StepReport>();
        var options = new TrainingOptions
        {
            Steps = 5,
            LearningRate = 1e-3,
            Schedule = ScheduleKind.Constant,
            MaxGradientNorm = 0,
            ListsPerStep = golden.Lists.Count,
            WeightDecay = 0.01,
            DecayAll = true,
        };
        new Trainer(model, options, golden.Lists, [], progress: new Collected(reports)).Train();

        var losses = expected["losses"].Deserialize<double[]>()!;
        Assert.Equal(losses.Length, reports.Count);
        foreach (var (loss, step) in losses.Zip(reports))
            Near(loss, step.Loss, absolute: 1e-5, relative: 0);
        foreach (var (norm, step) in expected["grad_norms"].Deserialize<double[]>()!.Zip(reports))
            Near(norm, step.GradientNorm, absolute: 0, relative: 1e-4);
        float[] rewards = [.. new RewardScorer(model).Score(golden.Lists).SelectMany(row => row)];
        var mean = rewards.Average(reward => (double)reward);
        foreach (var (centered, reward) in expected["final_rewards_centered"].Deserialize<double[]>()!.Zip(rewards))
            Near(centered, reward - mean, absolute: 5e-5, relative: 0);
        var wandering = golden.Expected["parameters_that_wander"].Deserialize<string[]>()!;
        var found = ByPeftName(model);
        foreach (var (parameter, after) in expected["parameters_after"]!.AsObject().Where(pair => !wandering.Contains(pair.Key)))
        {
            var values = Values(found[PlainName(parameter)].detach());
            Near((double)after!["norm"]!, Math.Sqrt(values.Sum(v => (double)v * v)), absolute: 1e-4, relative: 0);
            var entry = after["entries"]![0]!;
            Near((float)entry[1]!, values[(int)entry[0]!], absolute: 1e-4, relative: 0);
        }
    }

    [Theory, MemberData(nameof(Names))]
    public void Merged_weights_give_the_same_rewards(string name)
    {
        using var golden = LoraGolden.Of(name);
        using var model = golden.Load();
        model.MergeAdapter();
        Assert.InRange(golden.Distance(model), 0, 1e-5);
        Assert.Null(model.Adapter);
        Assert.Equal(model.CheckpointParameters.Count(), model.TrainedParameters.Count());
    }

    [Theory]
    [InlineData("llama_attention")]
    [InlineData("gpt2_all")]
    [InlineData("bert_attention")]
    public void Mutations_give_other_rewards(string name)
    {
        using var golden = LoraGolden.Of(name);
        using var scope = NewDisposeScope();
        Assert.InRange(golden.DistanceWith(pair => pair), 0, 1e-5);
        // Without the adapter; another scale; A and B of other layers.
        Assert.InRange(golden.DistanceWith(pair => pair.Name.Contains("lora_B", StringComparison.Ordinal) ? (pair.Name, zeros_like(pair.Tensor)) : pair), 1e-3, 100);
        Assert.InRange(golden.DistanceWith(pair => pair, config => config["lora_alpha"] = 1 + (double)config["lora_alpha"]!), 1e-3, 100);
        Assert.InRange(golden.DistanceWith(pair => pair, config => config["use_rslora"] = true), 1e-3, 100);
        Assert.InRange(
            golden.DistanceWith(pair => pair.Name.Contains("lora_A", StringComparison.Ordinal) ? (pair.Name, pair.Tensor.flip(0)) : pair), 1e-3, 100);
    }

    [Fact]
    public void A_and_B_are_not_taken_for_each_other()
    {
        using var golden = LoraGolden.Of("gpt2_all");
        using var scope = NewDisposeScope();
        static string Swapped(string name) => name.Contains("lora_A", StringComparison.Ordinal)
            ? name.Replace("lora_A", "lora_B", StringComparison.Ordinal)
            : name.Replace("lora_B", "lora_A", StringComparison.Ordinal);
        var e = Assert.Throws<RewardModel.Checkpoints.CheckpointException>(() => golden.DistanceWith(pair => (Swapped(pair.Name), pair.Tensor)));
        Assert.Contains(
            "tensor 'base_model.model.transformer.h.0.attn.c_attn.lora_A.weight' has shape [96, 3]; expected [3, 32]", e.Problems);
    }

    private static bool IsAdapterOfHead(string name) => name.Contains(".pooler.", StringComparison.Ordinal) && name.Contains(".lora_", StringComparison.Ordinal);

    private static string PlainName(string name) => name.Replace(".base_layer.", ".", StringComparison.Ordinal);

    private static Dictionary<string, TorchSharp.Modules.Parameter> ByPeftName(RewardTransformer model) => model.TrainedParameters.ToDictionary(
        pair => pair.Name.StartsWith("base_model.model.", StringComparison.Ordinal) ? pair.Name : $"base_model.model.{pair.Name}",
        pair => pair.Parameter);

    private static float[] Values(Tensor tensor)
    {
        using var data = tensor.contiguous().data<float>();
        return data.ToArray();
    }

    private static void Near(double expected, double found, double absolute, double relative) =>
        Assert.True(
            Math.Abs(expected - found) <= absolute + relative * Math.Abs(expected),
            FormattableString.Invariant($"expected {expected:R} within {absolute} + {relative} relative, found {found:R}"));

    private sealed class Collected(List<StepReport> steps) : IProgress<TrainingReport>
    {
        public void Report(TrainingReport value) => steps.Add(Assert.IsType<StepReport>(value));
    }
}
