using RewardModel.Checkpoints;
using RewardModel.Scoring;
using RewardModel.Training.Planning;

namespace RewardModel.Tests.Training.Planning;

public class ActivationMemoryTests
{
    // The workloads of bench/results/2026-11-26-h100.md: MiB in use at the end, a micro-batch for all lists but at Llama's K = 9.
    private const string llama = """
        {
          "model_type": "llama", "vocab_size": 128256, "hidden_size": 2048, "intermediate_size": 8192, "num_hidden_layers": 16,
          "num_attention_heads": 32, "num_key_value_heads": 8, "max_position_embeddings": 2048
        }
        """;

    [Theory]
    [InlineData("gpt2", 8, 4, 24_000, 7163)]
    [InlineData("gpt2", 8, 9, 24_000, 10_899)]
    [InlineData("llama", 4, 4, 8192, 29_853)]
    [InlineData("llama", 4, 9, 8192, 32_769)]
    public void One_H100_used_about_as_much(string name, int lists, int answers, int maxTokens, double mebibytes)
    {
        using var model = name == "gpt2"
            ? Shapes.Model(name) : RewardTransformer.WithoutWeights(HuggingFaceConfig.Parse(llama, "config.json"));
        var batch = new WorkloadShape(lists, answers, 512, 256, lists).BatchesOf(1, maxTokens, isCausal: true).Largest;
        var activations = ActivationMemory.Of(model, batch, Precision.Bfloat16, checkpointing: false);
        var memory = RankMemory.Of(ModelShape.Of(model), Sharding.None, 1, activations);
        Assert.InRange(memory.Total / (mebibytes * (1 << 20)), 0.8, 1.2);
    }

    [Fact]
    public void In_bfloat16_a_layer_keeps_what_its_operators_take()
    {
        using var model = Shapes.Model("llama-2-7b");
        long Of(long tokens) => ActivationMemory.Of(model, new MicroBatch(tokens, 0, 0), Precision.Bfloat16, checkpointing: false);
        // Two norms; copies for three and two matrices; queries, keys, values and result; a logarithm for each head; gate and its factor.
        const long width = 4096, inner = 11008;
        const long ofLayer = 2 * 4 * width + 5 * 2 * width + 4 * 2 * width + 4 * 32 + 2 * 4 * inner;
        // Of the last layer its input, copies for keys and values, and these.
        const long ofLast = 4 * width + 2 * 2 * width + 2 * 2 * width;
        // Passing: the layer's gradient, and three of the MLP's width with one in bfloat16.
        const long passing = 4 * (width + 3 * inner) + 2 * inner;
        Assert.Equal(31 * ofLayer + ofLast + passing, Of(2000) - Of(1999));
        // In bfloat16 all matrices but the MLP's last; of the largest a gradient and its sum.
        Assert.Equal(32 * 2 * (4 * width * width + 2 * width * inner) + 2 * 4 * width * inner, Of(2000) - 2000 * (Of(2000) - Of(1999)));
    }

    [Fact]
    public void On_the_CPU_it_is_the_estimate_of_inspect()
    {
        using var model = Shapes.Model("gpt2");
        var estimate = TrainingMemory.Estimate(model, new ListSize(100, 50, 4));
        foreach (var precision in Enum.GetValues<Precision>())
        {
            var batch = new WorkloadShape(1, 4, 100, 50, 1).BatchesOf(1, 1000, isCausal: true).Largest;
            Assert.Equal(estimate.Activations, ActivationMemory.Of(model, batch, precision, checkpointing: false, isOnGpu: false));
            Assert.Equal(
                estimate.CheckpointedActivations, ActivationMemory.Of(model, batch, precision, checkpointing: true, isOnGpu: false));
        }
    }

    [Theory]
    [InlineData("gpt2")]
    [InlineData("llama-2-7b")]
    [InlineData("opt-350m")]
    [InlineData("instructgpt-6b")]
    public void Checkpointing_takes_less(string name)
    {
        using var model = Shapes.Model(name);
        var batch = new WorkloadShape(1, 4, 256, 128, 1).BatchesOf(1, 10_000, isCausal: true).Largest;
        long Of(Precision precision, bool checkpointing) => ActivationMemory.Of(model, batch, precision, checkpointing);
        Assert.True(Of(Precision.Bfloat16, true) < Of(Precision.Bfloat16, false));
        Assert.True(Of(Precision.Float32, true) < Of(Precision.Float32, false));
    }
}
