using System.Text.Json.Nodes;
using RewardModel.Backbones;
using RewardModel.Checkpoints;
using RewardModel.Lists;
using RewardModel.Scoring;
using RewardModel.Tests.Parity;
using static TorchSharp.torch;

namespace RewardModel.Tests.Backbones;

[Collection(nameof(RunsAlone))]
public class ModernBertTests
{
    [Theory]
    [InlineData("norm_eps", "1e-6", 1e-5)]
    [InlineData("num_attention_heads", "2", 1e-2)]
    [InlineData("hidden_activation", "\"gelu_new\"", 1e-5)]
    [InlineData("classifier_activation", "\"gelu_new\"", 1e-5)]
    [InlineData("classifier_pooling", "\"cls\"", 1e-2)]
    [InlineData("local_attention", "8", 1e-3)]
    [InlineData("local_attention", "4", 1e-3)]
    [InlineData("layer_types", """["sliding_attention", "full_attention", "full_attention"]""", 1e-2)]
    public void The_rewards_would_show_another_setting(string setting, string value, double leastChange) =>
        Assert.True(ParityModel.RewardChange("modernbert", config => config[setting] = JsonNode.Parse(value)) > leastChange);

    [Theory]
    [InlineData("full_attention")]
    [InlineData("sliding_attention")]
    public void The_rewards_would_show_another_rotary_base_of_either_kind_of_layer(string kind) => Assert.True(
        ParityModel.RewardChange("modernbert", config => config["rope_parameters"]![kind]!["rope_theta"] = 20_000.0) > 1e-3);

    [Fact]
    public void The_rewards_would_show_a_missing_layer() => Assert.True(ParityModel.RewardChange(
        "modernbert_cls",
        config =>
        {
            config["num_hidden_layers"] = 3;
            config["layer_types"]!.AsArray().RemoveAt(3);
        },
        ParityModel.DropLayer(3)) > 1e-2);

    [Fact]
    public void The_rewards_would_show_the_halves_of_the_mlp_swapped() => Assert.True(
        ParityModel.RewardChange("modernbert", changeWeights: tensors =>
        {
            const string name = "model.layers.0.mlp.Wi.weight";
            tensors[name] = cat([.. tensors[name].split(56, 0).Reverse()]);
        }) > 1e-3);

    [Fact]
    public void The_mean_is_of_all_tokens_and_of_no_others()
    {
        using var model = ParityModel.Random("modernbert");
        var scorer = new RewardScorer(model);
        TokenizedList[] alone = [new([], [[7]], [0]), new([5], [[7]], [0]), TinyModel.List(1, 20, 11), TinyModel.List(2, 3, 40)];
        float[] together = [.. scorer.Score(alone).Select(rewards => rewards[0])];
        Numbers.AssertEqualButForRounding([.. alone.Select(list => scorer.Score([list])[0][0])], together, Numbers.UnitsOfModels);
        Assert.NotEqual(together[0], together[1], 1e-3);
    }

    [Fact]
    public void Dropout_acts_in_training_only()
    {
        using var parity = ParityModel.OfRepository("modernbert");
        using var scope = NewDisposeScope();
        using var without = parity.Load();
        using var with = RewardTransformer.Load(parity.Directory, dropout: 0.5);
        using var sequences = without.Pack(parity.RankedLists());
        Assert.Equal(new RewardScorer(without).Score(parity.RankedLists()), new RewardScorer(with).Score(parity.RankedLists()));
        with.train();
        without.train();
        using var _ = no_grad();
        Assert.True(Values(with.call(sequences).sub(without.call(sequences))).All(difference => Math.Abs(difference) > 1e-3));
    }

    [Fact]
    public void Layer_norms_may_have_biases()
    {
        using var plain = Create();
        using var biased = Create(config => config["norm_bias"] = true);
        var names = plain.CheckpointParameters.Select(pair => pair.Name).ToArray();
        Assert.Equal(
            [
                "head.norm.bias", "model.embeddings.norm.bias", "model.final_norm.bias", "model.layers.0.mlp_norm.bias",
                "model.layers.1.attn_norm.bias", "model.layers.1.mlp_norm.bias", "model.layers.2.attn_norm.bias",
                "model.layers.2.mlp_norm.bias",
            ],
            biased.CheckpointParameters.Select(pair => pair.Name).Except(names).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void New_weights_are_cut_off_and_those_into_the_residual_stream_are_smaller()
    {
        using var model = Create(config => config["initializer_range"] = 0.1);
        var largest = model.CheckpointParameters.Where(pair => pair.Parameter.dim() == 2)
            .ToDictionary(pair => pair.Name, pair => (double)pair.Parameter.detach().abs().max().item<float>());
        foreach (var name in new[]
            {
                "model.embeddings.tok_embeddings.weight", "model.layers.1.attn.Wqkv.weight", "model.layers.1.mlp.Wi.weight",
            })
            Assert.InRange(largest[name], 0.19, 0.2);
        foreach (var name in new[] { "model.layers.1.attn.Wo.weight", "model.layers.1.mlp.Wo.weight", "head.dense.weight" })
            Assert.InRange(largest[name], 0.19 / Math.Sqrt(6), 0.2 / Math.Sqrt(6));
    }

    [Fact]
    public void Weights_cut_off_are_distributed_as_they_should_be()
    {
        using var generator = manual_seed(3);
        using var weights = new TorchSharp.Modules.Parameter(empty(100, 100));
        using (no_grad())
            Initialization.TruncatedNormal(weights, 0.1, 1.5);
        using var data = weights.detach().data<float>();
        var values = data.ToArray();
        // Of a normal distribution between -1.5 and 1.5: variance 1 - 2 * 1.5 * phi(1.5) / (2 Phi(1.5) - 1) = 0.5514.
        Assert.Equal(0, values.Average(), 0.003);
        Assert.Equal(0.1 * Math.Sqrt(0.5514), Math.Sqrt(values.Average(value => (double)value * value)), 0.001);
        Assert.InRange(values.Max(), 0.1498, 0.15);
        Assert.InRange(values.Min(), -0.15, -0.1498);
    }

    [Fact]
    public void Settings_that_cannot_be_honoured_are_told_at_once()
    {
        var error = Assert.Throws<CheckpointException>(() => Create(config =>
        {
            config["num_attention_heads"] = 5;
            config["local_rope_theta"] = null;
            config["global_attn_every_n_layers"] = 0;
            config["classifier_pooling"] = "max";
            config["layer_types"] = new JsonArray("full_attention", "chunked_attention");
            config["rope_parameters"]!["sliding_attention"]!["rope_type"] = "mystery";
            config["rope_parameters"]!["chunked_attention"] = new JsonObject();
        }));
        Assert.Equal(
            [
                "'rope_parameters.sliding_attention.rope_type' is \"mystery\"; "
                    + "expected one of \"default\", \"dynamic\", \"linear\", \"llama3\", \"longrope\", \"yarn\"",
                "layer_types has 2 entries and num_hidden_layers is 3; expected as many",
                "layer_types has \"chunked_attention\"; expected \"full_attention\" and \"sliding_attention\" only",
                "'classifier_pooling' is \"max\"; expected one of \"cls\", \"mean\"",
                "hidden_size is 32 and num_attention_heads 5; expected the first to be a multiple of the second",
                "local_rope_theta is null; expected a number: to older versions of transformers null means global_rope_theta",
                "global_attn_every_n_layers is 0; expected at least 1",
                "'rope_parameters.chunked_attention' is {}; expected no such setting: this library does not know what it does",
            ],
            error.Problems);
    }

    [Fact]
    public void Bases_under_their_older_names_and_one_scaling_for_both_kinds_of_layers_are_read()
    {
        JsonObject Linear(double theta) => new() { ["rope_theta"] = theta, ["rope_type"] = "linear", ["factor"] = 4.0 };
        var nested = Rewards(config => config["rope_parameters"] = new JsonObject
        {
            ["full_attention"] = Linear(80_000),
            ["sliding_attention"] = Linear(5_000),
        });
        JsonObject? scaling = new() { ["type"] = "linear", ["factor"] = 4.0 };
        void Flat(JsonObject config)
        {
            config.Remove("rope_parameters");
            config["global_rope_theta"] = 80_000.0;
            config["local_rope_theta"] = 5_000.0;
            config["rope_scaling"] = scaling;
        }
        Assert.Equal(nested, Rewards(Flat));
        scaling = null;
        Assert.True(Math.Abs(nested[0] - Rewards(Flat)[0]) > 1e-3);
    }

    [Fact]
    public void A_masked_language_model_keeps_its_dense_layer_and_gets_a_new_classifier()
    {
        using var model = ParityModel.OfRepository("modernbert");
        float[] dense;
        using (var reader = CheckpointReader.Open(model.Directory))
        {
            dense = Values(reader.Read("head.dense.weight"));
            CheckpointWriter.Write(model.Directory, [
                .. reader.Names.Where(name => !name.StartsWith("classifier.", StringComparison.Ordinal))
                    .Select(name => (name, reader.Read(name))),
                ("decoder.bias", zeros(97))]);
        }
        using var loaded = model.Load();
        Assert.True(loaded.HasNewHead);
        var parameters = loaded.CheckpointParameters.ToDictionary(pair => pair.Name, pair => Values(pair.Parameter.detach()));
        Assert.Equal(dense, parameters["head.dense.weight"]);
        Assert.Equal([0f], parameters["classifier.bias"]);
    }

    private static RewardTransformer Create(Action<JsonObject>? change = null)
    {
        var path = Path.Combine(Shared.RepositoryRoot, "tests/RewardModel.Tests/Parity/modernbert.json");
        var config = JsonNode.Parse(File.ReadAllText(path))!["config"]!.DeepClone().AsObject();
        config["initializer_range"] = 0.2;
        change?.Invoke(config);
        return RewardTransformer.FromConfig(HuggingFaceConfig.Parse(config.ToJsonString(), "config.json"), seed: 1);
    }

    private static float[] Rewards(Action<JsonObject> change)
    {
        using var model = ParityModel.OfRepository("modernbert", change: change);
        using var transformer = model.Load();
        return [.. new RewardScorer(transformer).Score(model.RankedLists()).SelectMany(rewards => rewards)];
    }

    private static float[] Values(Tensor tensor)
    {
        using var data = tensor.data<float>();
        return data.ToArray();
    }
}
