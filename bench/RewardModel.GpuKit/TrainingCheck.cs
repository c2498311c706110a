using System.Text.Json.Nodes;
using RewardModel.Checkpoints;
using RewardModel.Lists;
using RewardModel.Scoring;
using RewardModel.Training;
using RewardModel.Training.Data;
using RewardModel.Training.Reporting;
using TorchSharp;

namespace RewardModel.GpuKit;

/// <summary>
/// Losses of a training on the device beside those on the CPU: the largest difference over all steps, also in bfloat16. And how far the
/// CPU's loss fell, so that there is something to compare.
/// </summary>
/// <param name="WithDropout">The largest difference where dropout is 0.1.</param>
/// <param name="Shared">The largest difference where a single rank shares the weights by NCCL, in each way, also offloaded.</param>
internal sealed record TrainingCheck(
    string Name, double FirstLoss, double LastLoss, double Difference, double InBfloat16, double WithDropout, double Shared)
{
    public const double Tolerance = 1e-3, Bfloat16Tolerance = 0.1;
    private const int stepCount = 20, vocabularySize = 61;

    public bool Passes => Difference <= Tolerance && WithDropout <= Tolerance && Shared <= Tolerance && InBfloat16 <= Bfloat16Tolerance && LastLoss < 0.9 * FirstLoss;

    public static IReadOnlyList<TrainingCheck> Run(string device) => [.. new[] { Gpt2(), Llama() }.Select(config =>
    {
        var onCpu = Losses(config, "cpu", Precision.Float32);
        var found = Losses(config, device, Precision.Float32);
        var inBfloat16 = Losses(config, device, Precision.Bfloat16);
        var withDropout = LargestDifference(
            Losses(config, "cpu", Precision.Float32, dropout: 0.1), Losses(config, device, Precision.Float32, dropout: 0.1));
        var shared = new[] { Sharding.Optimizer, Sharding.Gradients, Sharding.Parameters }.SelectMany(sharding => new[] { false, true }
            .Select(isOffloaded => LargestDifference(onCpu, Losses(config, device, Precision.Float32, 0, sharding, isOffloaded)))).Max();
        return new TrainingCheck(
            (string)config["model_type"]!, onCpu[0], onCpu[^5..].Average(), LargestDifference(onCpu, found),
            LargestDifference(onCpu, inBfloat16), withDropout, shared);
    })];

    private static double LargestDifference(double[] expected, double[] found) =>
        expected.Zip(found).Max(pair => Math.Abs(pair.First - pair.Second));

    private static double[] Losses(
        JsonObject config, string device, Precision precision, double dropout = 0, Sharding sharding = Sharding.None, bool isOffloaded = false)
    {
        using var model = RewardTransformer.FromConfig(
            HuggingFaceConfig.Parse(config.ToJsonString(), "config.json"), dropout, seed: 1).to(device);
        // Lists that can be learned: the lower an answer's ids, the better.
        var random = new SplitMix64(1);
        int[] Ids(int count, int first) => [.. Enumerable.Range(0, count).Select(_ => first + random.NextBelow(12))];
        TokenizedList[] lists =
        [
            .. Enumerable.Range(0, 16).Select(_ => new TokenizedList(
                Ids(20, 0), [.. Enumerable.Range(0, 4).Select(k => Ids(5 + random.NextBelow(10), 12 * k))], RankedList.ScoresOfOrder(4))),
        ];
        var losses = new Collected();
        var options = new TrainingOptions
        {
            Steps = stepCount,
            LearningRate = 3e-4,
            ListsPerStep = 8,
            Precision = precision,
            Shard = sharding,
            OffloadOptimizer = isOffloaded,
        };
        using var ranks = sharding == Sharding.None ? null : OneRank.On(device);
        new Trainer(model, options, lists, [], progress: losses, ranks: ranks).Train();
        return [.. losses.Values];
    }

    private static JsonObject Gpt2() => new()
    {
        ["model_type"] = "gpt2",
        ["vocab_size"] = vocabularySize,
        ["n_positions"] = 64,
        ["n_embd"] = 64,
        ["n_layer"] = 2,
        ["n_head"] = 4,
    };

    private static JsonObject Llama() => new()
    {
        ["model_type"] = "llama",
        ["vocab_size"] = vocabularySize,
        ["max_position_embeddings"] = 64,
        ["hidden_size"] = 64,
        ["intermediate_size"] = 128,
        ["num_hidden_layers"] = 2,
        ["num_attention_heads"] = 4,
        ["num_key_value_heads"] = 2,
    };

    private sealed class Collected : IProgress<TrainingReport>
    {
        public List<double> Values { get; } = [];

        public void Report(TrainingReport value) => Values.Add(((StepReport)value).Loss);
    }
}
