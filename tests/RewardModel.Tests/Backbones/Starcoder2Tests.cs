using System.Text.Json.Nodes;
using RewardModel.Checkpoints;
using RewardModel.Scoring;
using RewardModel.Tests.Parity;
using static TorchSharp.torch;

namespace RewardModel.Tests.Backbones;

public class Starcoder2Tests
{
    [Theory]
    [InlineData("sliding_window", "7", 1e-3)]
    [InlineData("sliding_window", "5", 1e-3)]
    [InlineData("sliding_window", "null", 1e-3)]
    [InlineData("norm_epsilon", "1e-6", 1e-5)]
    [InlineData("hidden_act", "\"gelu\"", 1e-5)]
    [InlineData("rope_parameters", """{"rope_theta": 10000.0, "rope_type": "default"}""", 1e-3)]
    public void The_rewards_would_show_another_setting(string setting, string value, double leastChange) =>
        Assert.True(ParityModel.RewardChange("starcoder2", config => config[setting] = JsonNode.Parse(value)) > leastChange);

    [Theory]
    [InlineData("self_attn.q_proj")]
    [InlineData("self_attn.v_proj")]
    [InlineData("self_attn.o_proj")]
    [InlineData("mlp.c_fc")]
    [InlineData("mlp.c_proj")]
    [InlineData("input_layernorm")]
    [InlineData("post_attention_layernorm")]
    public void The_rewards_would_show_a_bias_left_out(string layer) => Assert.True(ParityModel.RewardChange(
        "starcoder2", changeWeights: tensors =>
        {
            var name = $"model.layers.0.{layer}.bias";
            tensors[name] = zeros(tensors[name].shape);
        }) > 1e-3);

    [Fact]
    public void Without_use_bias_only_the_norms_have_one()
    {
        using var parity = ParityModel.OfRepository("starcoder2", change: config => config["use_bias"] = false);
        using var model = RewardTransformer.FromConfig(HuggingFaceConfig.Read(parity.Directory));
        var biases = model.CheckpointParameters.Where(pair => pair.Name.EndsWith(".bias", StringComparison.Ordinal)).ToArray();
        Assert.Equal(5, biases.Length);
        Assert.All(biases, pair => Assert.Contains("norm", pair.Name, StringComparison.Ordinal));
    }

    [Fact]
    public void An_absent_window_is_none() => Assert.Equal(
        ParityModel.RewardChange("starcoder2", config => config["sliding_window"] = null),
        ParityModel.RewardChange("starcoder2", config => config.Remove("sliding_window")));

    [Fact]
    public void Settings_that_cannot_be_honoured_are_told() => Assert.Equal(
        [
            "sliding_window is 0; expected at least 1, or null for no window",
            "'scale_attn_weights' is false; expected true",
            "'mlp_type' is \"gated\"; expected \"default\"",
            "'norm_type' is \"rms_norm\"; expected \"layer_norm\"",
            "num_attention_heads is 4 and num_key_value_heads 3; expected the first to be a multiple of the second",
        ],
        ParityModel.Problems("starcoder2", config =>
        {
            config["sliding_window"] = 0;
            config["scale_attn_weights"] = false;
            config["mlp_type"] = "gated";
            config["norm_type"] = "rms_norm";
            config["num_key_value_heads"] = 3;
        }));
}
