using System.Text.Json.Nodes;
using RewardModel.Backbones;
using RewardModel.Checkpoints;
using RewardModel.Layers;
using RewardModel.Packing;
using RewardModel.Scoring;
using RewardModel.Tests.Parity;
using static TorchSharp.torch;

namespace RewardModel.Tests.Backbones;

public class Phi3Tests
{
    [Theory]
    [InlineData("sliding_window", "7", 1e-2)]
    [InlineData("sliding_window", "null", 1e-2)]
    [InlineData("rms_norm_eps", "1e-6", 1e-5)]
    [InlineData("rope_parameters", """{"partial_rotary_factor": 0.5, "rope_theta": 10000.0, "rope_type": "default"}""", 1e-3)]
    public void The_rewards_would_show_another_setting(string setting, string value, double leastChange) =>
        Assert.True(ParityModel.RewardChange("phi3", config => config[setting] = JsonNode.Parse(value)) > leastChange);

    [Fact]
    public void The_rewards_would_show_gate_and_up_swapped() => Assert.True(ParityModel.RewardChange("phi3", changeWeights: tensors =>
    {
        const string name = "model.layers.0.mlp.gate_up_proj.weight";
        tensors[name] = cat([tensors[name].narrow(0, 56, 56), tensors[name].narrow(0, 0, 56)]);
    }) > 1e-2);

    [Fact]
    public void The_rewards_would_show_keys_and_values_swapped() => Assert.True(ParityModel.RewardChange("phi3", changeWeights: tensors =>
    {
        const string name = "model.layers.0.self_attn.qkv_proj.weight";
        var weight = tensors[name];
        tensors[name] = cat([weight.narrow(0, 0, 32), weight.narrow(0, 48, 16), weight.narrow(0, 32, 16)]);
    }) > 1e-2);

    [Theory]
    [InlineData("max_position_embeddings", "128", 1e-3)]
    [InlineData("rope_parameters.short_factor", "[1.0, 1.5, 2.5, 4.0, 7.5, 12.0]", 1e-3)]
    [InlineData("rope_parameters.attention_factor", "1.0", 1e-3)]
    public void The_rewards_would_show_another_longrope(string setting, string value, double leastChange) =>
        Assert.True(ParityModel.RewardChange("phi3_partial_longrope", config =>
        {
            var path = setting.Split('.');
            (path.Length == 1 ? config : config[path[0]]!)[path[^1]] = JsonNode.Parse(value);
        }) > leastChange);

    [Theory]
    [InlineData("su")]
    [InlineData("yarn")]
    public void Older_names_of_longrope_are_known(string type) => Assert.InRange(
        ParityModel.RewardChange("phi3_partial_longrope", config => config["rope_parameters"]!["rope_type"] = type), 0, 1e-5);

    [Fact]
    public void With_longrope_a_sequence_has_at_most_the_original_positions()
    {
        using var parity = ParityModel.OfRepository("phi3_partial_longrope");
        using var model = parity.Load();
        Assert.Equal(64, model.Backbone.MaxPositions);
        Assert.Equal(
            "A sequence has 65 tokens; this Phi-3 takes at most 64. Truncate the lists to that length. (Parameter 'sequences')",
            Assert.Throws<ArgumentException>(() => new RewardScorer(model).Score([TinyModel.List(1, 60, 5)])).Message);
    }

    [Fact]
    public void What_attention_and_MLP_add_is_dropped_at_the_rate_in_training_only()
    {
        using var scope = NewDisposeScope();
        using var parity = ParityModel.OfRepository("phi3");
        var config = Phi3Config.Read(HuggingFaceConfig.Read(parity.Directory).Reader());
        using var _ = manual_seed(1);
        using var attention = new Phi3Attention(config, dropout: 0.25);
        using var mlp = new Phi3Mlp(config, dropout: 0.25);
        Initialization.Apply(attention, range: 1);
        Initialization.Apply(mlp, range: 1);
        using var sequences = PackedSequences.Pack([TinyModel.List(1, 40, 10, 10)], sharePrompts: true);
        var angles = new RotaryEmbedding(config.Rotary).AnglesOf(sequences);
        var x_TD = nn.init.normal_(empty(sequences.TokenCount, config.Width));

        foreach (var training in new[] { true, false })
        {
            attention.train(training);
            mlp.train(training);
            foreach (var added_TD in new[] { attention.forward(x_TD, sequences.AllRows, angles), mlp.call(x_TD) })
            {
                var share = (added_TD == 0).to(float32).mean().item<float>();
                Assert.InRange(share, training ? 0.2 : 0, training ? 0.3 : 0);
            }
        }
    }

    [Fact]
    public void Settings_of_published_files_that_change_nothing_are_accepted() => Assert.InRange(
        ParityModel.RewardChange("phi3", config =>
        {
            config["auto_map"] = new JsonObject { ["AutoConfig"] = "configuration_phi3.Phi3Config" };
            foreach (var setting in new[] { "attention_bias", "mlp_bias", "lm_head_bias" })
                config[setting] = false;
            config["full_attn_mod"] = 1;
            config["interpolate_factor"] = 1;
        }), 0, 1e-5);

    [Fact]
    public void Settings_that_cannot_be_honoured_are_told() => Assert.Equal(
        [
            "'rope_parameters.rope_type' is \"linear\"; expected one of \"default\", \"longrope\", \"su\", \"yarn\"",
            "'attention_bias' is true; expected false",
            "'rope_parameters.factor' is 2; expected no such setting: this library does not know what it does",
        ],
        ParityModel.Problems("phi3", config =>
        {
            config["attention_bias"] = true;
            config["rope_parameters"] = JsonNode.Parse("""{"rope_type": "linear", "factor": 2}""");
        }));

    [Fact]
    public void Two_original_lengths_are_told() => Assert.Equal(
        ["original_max_position_embeddings is 32, and 64 among the rotary settings; expected the same number"],
        ParityModel.Problems("phi3_partial_longrope", config => config["original_max_position_embeddings"] = 32));
}
