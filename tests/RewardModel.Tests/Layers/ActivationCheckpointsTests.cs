using System.Runtime.InteropServices;
using RewardModel.Layers;
using RewardModel.Lists;
using RewardModel.Packing;
using RewardModel.Ranking;
using RewardModel.Scoring;
using RewardModel.Tests.Parity;
using static TorchSharp.torch;

namespace RewardModel.Tests.Layers;

/// <summary>Alone, because torch's default generator and its count of tensors are those of the whole process.</summary>
[Collection(nameof(RunsAlone))]
public class ActivationCheckpointsTests
{
    private static readonly TokenizedList[] lists = [TinyModel.List(1, 7, 3, 5, 2), TinyModel.List(2, 0, 4, 6), TinyModel.List(3, 4, 1, 8)];

    public static TheoryData<string> Models => [.. ParityModel.NamesOfRepository];

    [Theory, MemberData(nameof(Models))]
    public void Checkpointing_changes_no_bit_of_rewards_and_gradients(string name)
    {
        using var model = ParityModel.Random(name);
        Same(Pass(model, checkpoints: false), Pass(model, checkpoints: true));
    }

    [Theory, MemberData(nameof(Models))]
    public void Checkpointing_draws_dropout_the_same(string name)
    {
        using var model = ParityModel.Random(name, dropout: 0.2);
        var plain = Pass(model, checkpoints: false);
        Same(plain, Pass(model, checkpoints: true));
        var other = Pass(model, checkpoints: true, dropoutSeed: 6);
        Assert.NotEqual(plain["rewards of 2"], other["rewards of 2"]);
    }

    [Theory]
    [InlineData("gpt2")]
    [InlineData("llama")]
    public void Checkpointing_goes_with_frozen_parameters(string name)
    {
        using var model = ParityModel.Random(name);
        var frozen = model.CheckpointParameters
            .Where(pair => pair.Name.Contains("embed", StringComparison.Ordinal) || pair.Name.Contains("wte", StringComparison.Ordinal)
                || pair.Name.Contains("wpe", StringComparison.Ordinal) || pair.Name.Contains(".0.", StringComparison.Ordinal))
            .ToArray();
        Assert.NotEmpty(frozen);
        foreach (var (_, parameter) in frozen)
            parameter.requires_grad = false;
        var plain = Pass(model, checkpoints: false);
        Same(plain, Pass(model, checkpoints: true));
        Assert.All(frozen, pair => Assert.Empty(plain[pair.Name]));
    }

    [Theory, MemberData(nameof(Models))]
    public void Frozen_layers_are_not_computed_again(string name)
    {
        using var model = ParityModel.Random(name);
        model.Freeze(1);
        Same(Pass(model, checkpoints: false), Pass(model, checkpoints: true));
        var frozen = model.Backbone.Layers.Count - 1;
        Assert.Equal(frozen, model.Backbone.FrozenLayerCount);
        using var sequences = model.Pack(lists);
        using var pass = new ForwardPass(sequences, checkpointing: true);
        using var rewards = model.forward(pass);
        Assert.Equal(frozen, pass.FrozenLayerCount);
    }

    [Fact]
    public void A_pass_without_a_seed_draws_one_of_torch_and_keeps_it()
    {
        using var model = ParityModel.Random("gpt2", dropout: 0.2);
        var plain = Seeded(3, checkpoints: false);
        Same(plain, Seeded(3, checkpoints: true));
        Assert.NotEqual(plain["rewards of 2"], Seeded(4, checkpoints: false)["rewards of 2"]);

        Dictionary<string, float[]> Seeded(long seed, bool checkpoints)
        {
            manual_seed(seed).Dispose();
            return Pass(model, checkpoints, dropoutSeed: null);
        }
    }

    [Theory]
    [InlineData("gpt2")]
    [InlineData("llama")]
    public void Checkpointing_in_bfloat16_changes_no_bit(string name)
    {
        using var model = ParityModel.Random(name);
        model.Precision = Precision.Bfloat16;
        Same(Pass(model, checkpoints: false), Pass(model, checkpoints: true));
    }

    [Theory, MemberData(nameof(Models))]
    public void Checkpointing_leaves_no_tensors_behind(string name)
    {
        using var model = ParityModel.Random(name, dropout: 0.1);
        LeavesNothingBehind(() => Pass(model, checkpoints: true));
    }

    [Fact]
    public void Checkpointing_of_a_pass_that_is_given_up_leaves_no_tensors_behind()
    {
        using var model = ParityModel.Random("deberta_v2");
        LeavesNothingBehind(() =>
        {
            using var scope = NewDisposeScope();
            using var sequences = PackedSequences.Pack(lists, sharePrompts: false);
            using var pass = new ForwardPass(sequences, checkpointing: true);
            model.forward(pass);
        });
    }

    private static void LeavesNothingBehind(Action pass)
    {
        // Once for what a model makes once, and without what earlier tests left to the finalizer.
        pass();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var before = Tensor.TotalCount;
        for (var i = 0; i < 3; i++)
            pass();
        Assert.Equal(before, Tensor.TotalCount);
    }

    /// <summary>Rewards and all gradients, by name, after two micro-batches.</summary>
    private static Dictionary<string, float[]> Pass(RewardTransformer model, bool checkpoints, ulong? dropoutSeed = 5)
    {
        model.train();
        var result = new Dictionary<string, float[]>();
        foreach (var batch in new[] { lists[..2], lists[2..] })
        {
            using var scope = NewDisposeScope();
            var loss = RankingLoss.ByName("log-sigmoid");
            using var targets = loss.TargetsOf([.. batch.Select(RankingList.Of)]);
            using var sequences = model.Pack(batch);
            using var pass = new ForwardPass(sequences, dropoutSeed, checkpoints);
            var rewards = model.forward(pass);
            pass.Backward(loss.Sum(rewards, targets));
            result.Add($"rewards of {batch.Length}", Values(rewards.detach()));
        }
        foreach (var (name, parameter) in model.CheckpointParameters)
        {
            using var gradient = parameter.grad;
            result.Add(name, gradient is null ? [] : Values(gradient));
        }
        model.zero_grad();
        return result;
    }

    private static void Same(Dictionary<string, float[]> expected, Dictionary<string, float[]> found)
    {
        Assert.Equal(expected.Keys, found.Keys);
        Assert.Empty(expected.Where(pair => !Bits(pair.Value).SequenceEqual(Bits(found[pair.Key])))
            .Select(pair => $"{pair.Key}: {Numbers.LargestDifference(pair.Value, found[pair.Key]):E2}"));
        Assert.Contains(expected, pair => pair.Value.Length > 0 && pair.Value.Any(value => value != 0));
    }

    private static ReadOnlySpan<byte> Bits(float[] values) => MemoryMarshal.AsBytes<float>(values);

    private static float[] Values(Tensor tensor)
    {
        using var contiguous = tensor.contiguous();
        using var data = contiguous.data<float>();
        return data.ToArray();
    }
}
