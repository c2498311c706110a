using System.Diagnostics;
using System.Text.Json.Nodes;
using RewardModel.Checkpoints;
using RewardModel.Layers;
using RewardModel.Lists;
using RewardModel.Ranking;
using RewardModel.Scoring;
using static TorchSharp.torch;

namespace RewardModel.Bench;

/// <summary>
/// Forward and backward passes of a mixture of experts beside those of dense models, of the size that a token goes through and of the size of
/// all experts.
/// </summary>
/// <param name="threads">How many compute.</param>
internal sealed class ExpertsComparison(int threads)
{
    private const int width = 256, inner = 256, experts = 8, chosen = 2;

    private static readonly string[] names =
        [$"dense, {chosen * inner} inside", $"{chosen} of {experts} experts, {inner} inside each", $"dense, {experts * inner} inside"];

    // 2,048 tokens.
    private static readonly TokenizedList[] lists = [List(256, 512, 256), List(256, 512, 256)];

    /// <summary>Seconds, turn by turn.</summary>
    public void Run(int rounds)
    {
        set_num_threads(threads);
        Console.WriteLine(Machine.Description);
        Console.WriteLine($"{threads} threads; d={width} L=4, 2048 tokens in four answers of two lists; medians of {rounds}, sides taking turns");
        Console.WriteLine();
        RewardTransformer[] models = [.. names.Select((_, side) => Create(side))];
        List<double>[] steps = [.. names.Select(_ => new List<double>())], scores = [.. names.Select(_ => new List<double>())];
        for (var round = -3; round < rounds; round++)
            for (var side = 0; side < models.Length; side++)
            {
                var clock = Stopwatch.StartNew();
                Step(models[side]);
                var step = clock.Elapsed.TotalSeconds;
                clock.Restart();
                new RewardScorer(models[side]).Score(lists);
                if (round < 0)
                    continue;
                steps[side].Add(step);
                scores[side].Add(clock.Elapsed.TotalSeconds);
            }
        Console.WriteLine("| side | million parameters in layers | s a step | s scoring | step / first | scoring / first |");
        Console.WriteLine("|---|---|---|---|---|---|");
        for (var side = 0; side < models.Length; side++)
            Console.WriteLine(
                $"| {names[side]} | {models[side].Backbone.Layers.Sum(layer => layer.parameters().Sum(parameter => parameter.numel())) / 1e6:F1} "
                + $"| {Comparison.Median(steps[side]):F4} | {Comparison.Median(scores[side]):F4} "
                + $"| {Comparison.Median(steps[side]) / Comparison.Median(steps[0]):F2} "
                + $"| {Comparison.Median(scores[side]) / Comparison.Median(scores[0]):F2} |");
        foreach (var model in models)
            model.Dispose();
    }

    /// <summary>Memory of one side's step, in a process of its own.</summary>
    public void RunMemory(int side)
    {
        set_num_threads(threads);
        using var model = Create(side);
        var before = ProcessMemory.Resident.Anonymous;
        ProcessMemory.ResetPeak();
        Step(model);
        var estimate = TrainingMemory.Estimate(model, lists);
        Console.WriteLine(
            $"{names[side]}: {(ProcessMemory.Peak - ProcessMemory.Resident.OfFiles - before) / 1048576.0:F0} MiB of a step with gradients of "
            + $"{estimate.Gradients / 1048576.0:F0} MiB; estimated {(estimate.Gradients + estimate.Activations) / 1048576.0:F0} MiB");
    }

    private static void Step(RewardTransformer model)
    {
        using var scope = NewDisposeScope();
        model.train();
        using var sequences = model.Pack(lists);
        using var pass = new ForwardPass(sequences, dropoutSeed: 1);
        var loss = RankingLoss.ByName("log-sigmoid");
        using var targets = loss.TargetsOf([.. lists.Select(RankingList.Of)]);
        pass.Backward(loss.Sum(model.forward(pass), targets));
        model.zero_grad();
        model.eval();
    }

    private static RewardTransformer Create(int side)
    {
        var settings = new JsonObject
        {
            ["model_type"] = side == 1 ? "qwen3_moe" : "qwen3",
            ["vocab_size"] = 4096,
            ["hidden_size"] = width,
            ["intermediate_size"] = side == 2 ? experts * inner : chosen * inner,
            ["num_hidden_layers"] = 4,
            ["num_attention_heads"] = 4,
            ["num_key_value_heads"] = 4,
            ["head_dim"] = 64,
            ["max_position_embeddings"] = 2048,
        };
        if (side == 1)
            (settings["num_experts"], settings["num_experts_per_tok"], settings["moe_intermediate_size"]) = (experts, chosen, inner);
        return RewardTransformer.FromConfig(HuggingFaceConfig.Parse(settings.ToJsonString(), "config.json"));
    }

    private static TokenizedList List(int prompt, params int[] answers)
    {
        var random = new Random(prompt + answers.Length);
        int[] Ids(int count) => [.. Enumerable.Range(0, count).Select(_ => random.Next(4096))];
        return new TokenizedList(Ids(prompt), [.. answers.Select(Ids)], RankedList.ScoresOfOrder(answers.Length));
    }
}
