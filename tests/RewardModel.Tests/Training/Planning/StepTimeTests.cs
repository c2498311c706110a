using RewardModel.Checkpoints;
using RewardModel.Scoring;
using RewardModel.Training.Planning;

namespace RewardModel.Tests.Training.Planning;

public class StepTimeTests
{
    private const string llama = """
        {
          "model_type": "llama", "vocab_size": 128256, "hidden_size": 2048, "intermediate_size": 8192, "num_hidden_layers": 16,
          "num_attention_heads": 32, "num_key_value_heads": 8, "max_position_embeddings": 2048
        }
        """;

    private static readonly WorkloadShape workload = new(10_000, 2, 30, 10, 64);

    // bench/results/2026-11-26-h100.md, from which the default efficiency comes: it holds for other counts of answers as well.
    [Theory]
    [InlineData("gpt2", 8, 4, 24_000, 0.0459)]
    [InlineData("gpt2", 8, 9, 24_000, 0.0798)]
    [InlineData("llama", 4, 4, 8192, 0.1298)]
    [InlineData("llama", 4, 9, 8192, 0.2323)]
    public void One_H100_took_as_long(string name, int lists, int answers, int maxTokens, double seconds)
    {
        using var model = name == "gpt2"
            ? Shapes.Model(name) : RewardTransformer.WithoutWeights(HuggingFaceConfig.Parse(llama, "config.json"));
        var time = StepTime.Of(
            ModelShape.Of(model), Shapes.H100s(1), new WorkloadShape(lists, answers, 512, 256, lists),
            new StepSettings(Sharding.None, maxTokens));
        Assert.InRange(time.Total / seconds, 0.95, 1.05);
        Assert.Equal((0.0, 0.0), (time.ExposedCommunication, time.BytesSent));
    }

    [Theory]
    [InlineData(nameof(Sharding.None), 2)]
    [InlineData(nameof(Sharding.Optimizer), 2)]
    [InlineData(nameof(Sharding.Gradients), 9)]
    public void Bytes_are_multiples_of_the_gradients(string sharding, int times)
    {
        // Two lists a rank each in two micro-batches: 8 lists of 50 tokens, 50 at a time.
        var time = Of(Enum.Parse<Sharding>(sharding), 8, 50);
        Assert.Equal(8, time.BatchCount);
        Assert.Equal(times * 17_600 * 7 / 8.0, time.BytesSent, 1e-6);
    }

    [Fact]
    public void With_weights_divided_each_micro_batch_gathers_layers_twice()
    {
        // 16,000 bytes of layers twice, 1,600 outside of them once, and 17,600 of gradients.
        Assert.Equal(8 * (32_000 + 1600 + 17_600) * 7 / 8.0, Of(Sharding.Parameters, 8, 50).BytesSent, 1e-6);
        Assert.Equal((32_000 + 1600 + 17_600) * 7 / 8.0, Of(Sharding.Parameters, 8, 1000).BytesSent, 1e-6);
    }

    [Fact]
    public void A_step_is_the_sum_of_its_parts_and_its_messages_cost_what_a_ring_takes()
    {
        var measured = new Measured
        {
            SecondsPerToken = 1e-3,
            OptimizerSeconds = 0.8,
            FixedSecondsPerStep = 0.05,
            LinkBandwidth = 1e4,
            LinkLatency = 0,
            StepDeviation = 0,
            OverlapsCommunication = false,
        };
        var time = Of(Sharding.None, 4, 1000, measured);
        // 16 lists of 50 tokens; 17,600 bytes in a ring of four; the whole update on every rank.
        Assert.Equal(0.8, time.Computation, 1e-12);
        Assert.Equal(2 * 17_600 * 3 / 4.0 / 1e4, time.ExposedCommunication, 1e-12);
        Assert.Equal((0.8, 0.05, 0.0), (time.Optimizer, time.Fixed, time.Straggling));
        Assert.Equal(0.8 + 2.64 + 0.8 + 0.05, time.Total, 1e-12);
        Assert.Equal(0.8 / 4.29, time.Efficiency, 1e-12);
        Assert.Equal(Bottleneck.Communication, time.Bottleneck);
        // Divided, a rank updates a quarter.
        Assert.Equal(0.2, Of(Sharding.Optimizer, 4, 1000, measured).Optimizer, 1e-12);
        Assert.Equal(2.64, Of(Sharding.Optimizer, 4, 1000, measured).ExposedCommunication, 1e-12);
    }

    [Fact]
    public void Latency_counts_for_every_message()
    {
        var quick = new Measured { SecondsPerToken = 1e-3, LinkBandwidth = 1e30, LinkLatency = 0, OverlapsCommunication = false };
        var slow = quick with { LinkLatency = 0.01 };
        // Five groups; a ring of four has three messages, an all-reduce six.
        Assert.Equal(5 * 6 * 0.01, Of(Sharding.None, 4, 1000, slow).Total - Of(Sharding.None, 4, 1000, quick).Total, 1e-9);
        Assert.Equal(5 * 6 * 0.01, Of(Sharding.Optimizer, 4, 1000, slow).Total - Of(Sharding.Optimizer, 4, 1000, quick).Total, 1e-9);
        // Nine gathers and five sums.
        Assert.Equal(14 * 3 * 0.01, Of(Sharding.Parameters, 4, 1000, slow).Total - Of(Sharding.Parameters, 4, 1000, quick).Total, 1e-9);
    }

    [Fact]
    public void The_slowest_rank_is_the_largest_of_so_many()
    {
        var measured = new Measured { SecondsPerToken = 1e-3, StepDeviation = 0.1, StepSpread = SpreadKind.Exponential };
        var time = Of(Sharding.None, 4, 1000, measured);
        Assert.Equal(0.8 * 0.1 * (1 / 2.0 + 1 / 3.0 + 1 / 4.0), time.Straggling, 1e-12);
    }

    [Fact]
    public void Ranks_without_a_list_wait()
    {
        // 64 lists on 48 ranks: some have two, the mean is one and a third.
        var time = Of(Sharding.None, 48, 1000, new Measured { SecondsPerToken = 1 });
        Assert.Equal((100.0, 100 * 64 / 96.0), (time.Computation, time.EvenComputation));
        Assert.Equal(Bottleneck.Waiting, Of(Sharding.None, 256, 1000, new Measured { SecondsPerToken = 1, LinkLatency = 0 }).Bottleneck);
    }

    [Fact]
    public void Offloaded_an_update_takes_the_way_to_the_CPU()
    {
        var cluster = Shapes.H100s(8);
        StepTime Time(bool offloads) => StepTime.Of(
            Shapes.Small, cluster, workload, new StepSettings(Sharding.Optimizer, 1000, OffloadsOptimizer: offloads));
        // 550 parameters of a rank: 16 bytes each and 16 of moments; 8 cross the link.
        Assert.Equal(550 * 32 / (3.35e12 * 0.76), Time(false).Optimizer, 1e-15);
        Assert.Equal(550 * 32 / 50e9 + 550 * 8 / 50e9, Time(true).Optimizer, 1e-15);
    }

    [Fact]
    public void More_ranks_are_faster_and_less_efficient_and_a_faster_network_never_slower()
    {
        var model = Shapes.Of("llama-2-7b");
        var lists = new WorkloadShape(2_919_326, 2, 379, 217, 512);
        foreach (var sharding in Enum.GetValues<Sharding>())
        {
            var settings = new StepSettings(sharding, 4096);
            var times = new[] { 8, 16, 32, 64, 128 }.Select(count => StepTime.Of(model, Shapes.H100s(count), lists, settings)).ToArray();
            Assert.Equal(times.Select(time => time.Total).OrderDescending(), times.Select(time => time.Total));
            Assert.Equal(times.Select(time => time.Efficiency).OrderDescending(), times.Select(time => time.Efficiency));
            Assert.True(
                StepTime.Of(model, Shapes.H100s(64) with { NodeBandwidth = 12.5e9 }, lists, settings).Total > times[3].Total);
            Assert.All(times, time => Assert.InRange(time.ExposedCommunication, 0, time.Communication));
        }
    }

    [Fact]
    public void Divided_within_nodes_a_step_sends_less_between_them()
    {
        var model = Shapes.Of("llama-2-7b");
        var lists = new WorkloadShape(2_919_326, 2, 379, 217, 512);
        var cluster = Shapes.H100s(64) with { NodeBandwidth = 12.5e9 };
        StepTime Time(bool within) => StepTime.Of(
            model, cluster, lists, new StepSettings(Sharding.Parameters, 4096, DividesWithinNodes: within));
        Assert.True(Time(true).Total < Time(false).Total);
        // Two micro-batches a rank gather within a node of eight; once the eighth of the gradients is added up over eight nodes.
        var all = model.All;
        Assert.Equal(2, Time(true).BatchCount);
        var layers = all.WeightBytes - model.Root.WeightBytes;
        Assert.Equal(
            2 * (all.WeightBytes + layers + all.GradientBytes) * 7 / 8.0 + 2 * all.GradientBytes / 8.0 * 7 / 8, Time(true).BytesSent, 1);
    }

    private static StepTime Of(Sharding sharding, int ranks, int maxTokens, Measured? measured = null) => StepTime.Of(
        Shapes.Small, Shapes.H100s(ranks), workload, new StepSettings(sharding, maxTokens), measured);
}
