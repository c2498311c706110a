using System.Diagnostics;
using System.Text.Json.Nodes;
using RewardModel.Adapters;
using RewardModel.Checkpoints;
using RewardModel.Layers;
using RewardModel.Lists;
using RewardModel.Scoring;
using RewardModel.Tests.Parity;
using RewardModel.Training;
using RewardModel.Training.Optimization;
using static TorchSharp.torch;

namespace RewardModel.Tests.Layers;

/// <summary>Alone, because one of them measures time.</summary>
[Collection(nameof(RunsAlone))]
public class ExpertRoutesTests
{
    private const int tokens = 9, width = 4;

    [Theory]
    [InlineData(2, false)]
    [InlineData(2, true)]
    [InlineData(1, true)]
    [InlineData(5, false)]
    public void They_are_what_tokens_one_by_one_come_to(int chosen, bool isOfLogits)
    {
        using var scope = NewDisposeScope();
        manual_seed(3);
        var (x, logits) = (randn(tokens, width).requires_grad_(), randn(tokens, 5).requires_grad_());
        Tensor[] factors = [.. Enumerable.Range(0, 5).Select(_ => randn(width).requires_grad_())];
        var routes = isOfLogits ? ExpertRoutes.OfLogits(logits, chosen) : ExpertRoutes.OfShares(logits, chosen, isNormalized: false);
        var found = routes.Through(x, (expert, rows) => rows.mul(factors[expert]).sin());
        var expected = stack([.. Enumerable.Range(0, tokens).Select(token =>
        {
            var order = Enumerable.Range(0, 5).OrderByDescending(expert => logits[token, expert].item<float>()).Take(chosen).ToArray();
            var weights = isOfLogits
                ? stack([.. order.Select(expert => logits[token, expert])]).softmax(0)
                : stack([.. order.Select(expert => logits[token].softmax(0)[expert])]);
            return order.Select((expert, i) => x[token].mul(factors[expert]).sin().mul(weights[i])).Aggregate((sum, part) => sum.add(part));
        })]);
        Same(expected, found);
        var direction = randn(tokens, width);
        Tensor[] all = [x, logits, .. factors];
        var ofExpected = autograd.grad([expected], all, [direction], allow_unused: true);
        var ofFound = autograd.grad([found], all, [direction], allow_unused: true);
        foreach (var (one, other) in ofExpected.Zip(ofFound).Where(pair => pair.First is { IsInvalid: false }))
            Same(one, other);
    }

    [Fact]
    public void Shares_can_be_divided_by_their_sum()
    {
        using var scope = NewDisposeScope();
        var logits = tensor(new[] { 0f, MathF.Log(2), MathF.Log(5) }).unsqueeze(0);
        var plain = ExpertRoutes.OfShares(logits, 2, isNormalized: false).Through(ones(1, 1), (expert, rows) => rows.mul(Math.Pow(10, expert)));
        Assert.Equal(10 * 2f / 8 + 100 * 5f / 8, plain.item<float>(), 1e-4);
        var divided = ExpertRoutes.OfShares(logits, 2, isNormalized: true).Through(ones(1, 1), (expert, rows) => rows.mul(Math.Pow(10, expert)));
        Assert.Equal(10 * 2f / 7 + 100 * 5f / 7, divided.item<float>(), 1e-4);
    }

    [Fact]
    public void An_expert_computes_its_tokens_at_once_and_one_without_tokens_nothing()
    {
        using var scope = NewDisposeScope();
        var logits = tensor(new float[,] { { 3, 0, 2, 1 }, { 3, 0, 1, 2 }, { 3, 0, 2, 1 } });
        var rows = new Dictionary<int, long>();
        ExpertRoutes.OfLogits(logits, 2).Through(ones(3, width), (expert, x) =>
        {
            rows.Add(expert, x.size(0));
            return x;
        });
        Assert.Equal(new Dictionary<int, long> { [0] = 3, [2] = 2, [3] = 1 }, rows);
    }

    [Fact]
    public void Dropout_of_experts_adapters_is_that_of_the_lists_in_any_company()
    {
        using var model = ParityModel.Random("qwen3_moe");
        manual_seed(1);
        model.AddAdapter(new LoraOptions(2) { Targets = "gate_proj,down_proj", Dropout = 0.5 });
        using (no_grad())
            foreach (var (name, parameter) in model.TrainedParameters.Where(pair => pair.Name.Contains("lora_B", StringComparison.Ordinal)))
                parameter.fill_(0.3f);
        TokenizedList[] lists = [TinyModel.List(1, 7, 3, 5, 2), TinyModel.List(2, 0, 4, 6), TinyModel.List(3, 4, 1, 8)];
        model.train();
        var together = Rewards(lists, [0, 1, 2]);
        Assert.Equal(together, Rewards(lists, [0, 1, 2]));
        Numbers.AssertEqualButForRounding(together[3..5], Rewards([lists[1]], [1]), Numbers.UnitsOfModels);
        Numbers.AssertEqualButForRounding([.. together[5..], .. together[..3]], Rewards([lists[2], lists[0]], [2, 0]), Numbers.UnitsOfModels);
        model.eval();
        Assert.True(Numbers.LargestDifference(together, Rewards(lists, [0, 1, 2])) > 1e-3);

        float[] Rewards(TokenizedList[] some, int[] numbers)
        {
            using var scope = NewDisposeScope();
            using var sequences = model.Pack(some);
            using var pass = new ForwardPass(sequences, dropoutSeed: 4) { ListNumbers = numbers };
            using var data = model.forward(pass).detach().data<float>();
            return data.ToArray();
        }
    }

    [Theory]
    [InlineData(Sharding.None)]
    [InlineData(Sharding.Parameters)]
    public void Experts_that_no_token_of_a_step_goes_through_decay_as_the_others_do(Sharding sharding)
    {
        // One list of three tokens, two experts each: of 64 most have none.
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(
            Shared.RepositoryRoot, "tests/RewardModel.Tests/Parity/qwen3_moe.json")))!["config"]!.DeepClone().AsObject();
        (config["num_local_experts"], config["num_experts_per_tok"], config["initializer_range"]) = (64, 2, 0.05);
        using var model = RewardTransformer.FromConfig(HuggingFaceConfig.Parse(config.ToJsonString(), "config.json"), seed: 1);
        var before = Weights();
        new Trainer(
            model,
            new TrainingOptions
            {
                Steps = 1,
                LearningRate = 1e-3,
                ListsPerStep = 1,
                WeightDecay = 0.1,
                MaxGradientNorm = 0,
                Shard = sharding,
                Schedule = ScheduleKind.Constant,
            },
            [TinyModel.List(1, 1, 1, 1)], []).Train();
        var after = Weights();
        var untouched = 0;
        foreach (var (name, weights) in before)
        {
            var isDecayed = weights.Zip(after[name]).All(pair => Math.Abs(pair.First * (1 - 1e-4f) - pair.Second) <= 1e-7f * Math.Abs(pair.First));
            untouched += isDecayed ? 1 : 0;
            Assert.NotEqual(weights, after[name]);
        }
        // Of three matrices each, in two layers.
        Assert.InRange(untouched, 3 * (2 * 64 - 4 * 6), 3 * 2 * 62);

        Dictionary<string, float[]> Weights()
        {
            using var scope = NewDisposeScope();
            var ofExperts = model.CheckpointParameters.Where(pair => pair.Name.Contains(".experts.", StringComparison.Ordinal));
            return ofExperts.ToDictionary(pair => pair.Name, pair =>
            {
                using var data = pair.Parameter.detach().data<float>();
                return data.ToArray();
            });
        }
    }

    [Fact]
    public void A_model_of_thousands_of_experts_is_soon_made_and_planned_by_what_a_token_goes_through()
    {
        // Qwen3-30B-A3B.
        var config = new JsonObject
        {
            ["model_type"] = "qwen3_moe",
            ["vocab_size"] = 151936,
            ["hidden_size"] = 2048,
            ["intermediate_size"] = 6144,
            ["num_hidden_layers"] = 48,
            ["num_attention_heads"] = 32,
            ["num_key_value_heads"] = 4,
            ["head_dim"] = 128,
            ["max_position_embeddings"] = 40960,
            ["moe_intermediate_size"] = 768,
            ["num_experts"] = 128,
            ["num_experts_per_tok"] = 8,
            ["norm_topk_prob"] = true,
            ["decoder_sparse_step"] = 1,
            ["rope_theta"] = 1000000.0,
        };
        var clock = Stopwatch.StartNew();
        using var model = RewardTransformer.WithoutWeights(HuggingFaceConfig.Parse(config.ToJsonString(), "config.json"));
        var names = model.CheckpointParameters.Select(pair => pair.Name).ToHashSet();
        Assert.Contains("model.layers.47.mlp.experts.127.down_proj.weight", names);
        var memory = TrainingMemory.Estimate(model, new ListSize(1000, 500, 2));
        Assert.InRange(clock.Elapsed.TotalSeconds, 0, 20);
        // The published 30.5 billion less the vocabulary head, and 3.3 billion of a token, with embeddings and head.
        Assert.Equal(30.53e9 - 151936 * 2048.0, memory.Weights / 4.0, 0.02e9);
        var ofToken = model.Backbone.LayerShapes.Sum(shape => shape.MatricesOfToken.Sum(matrix => matrix.Size));
        Assert.Equal(3.35e9 - 2 * 151936 * 2048.0, ofToken, 0.05e9);
    }

    private static void Same(Tensor expected, Tensor found)
    {
        using var data = expected.detach().contiguous().data<float>();
        using var others = found.detach().contiguous().data<float>();
        Numbers.AssertEqualButForRounding(data.ToArray(), others.ToArray(), units: 8);
    }
}
