using System.Text.Json.Nodes;
using RewardModel.Tests.Parity;
using static TorchSharp.torch;

namespace RewardModel.Tests.Backbones;

public class Qwen2Tests
{
    [Theory]
    [InlineData("qwen2", "rms_norm_eps", "1e-5", 1e-5)]
    [InlineData("qwen2", "rope_parameters", """{"rope_theta": 10000.0, "rope_type": "default"}""", 1e-3)]
    [InlineData("qwen2_window", "sliding_window", "7", 1e-2)]
    [InlineData("qwen2_window", "layer_types", """["sliding_attention", "sliding_attention", "sliding_attention"]""", 1e-2)]
    [InlineData("qwen2_window", "layer_types", """["full_attention", "full_attention", "sliding_attention"]""", 1e-2)]
    public void The_rewards_would_show_another_setting(string name, string setting, string value, double leastChange) =>
        Assert.True(ParityModel.RewardChange(name, config => config[setting] = JsonNode.Parse(value)) > leastChange);

    [Theory]
    [InlineData("max_window_layers", "2")]
    [InlineData("max_window_layers", "0")]
    [InlineData("use_sliding_window", "false")]
    [InlineData("sliding_window", "null")]
    public void Without_layer_types_the_rewards_would_show_other_windows(string setting, string value) =>
        Assert.True(ParityModel.RewardChange("qwen2_window", config =>
        {
            config.Remove("layer_types");
            config[setting] = JsonNode.Parse(value);
        }) > 1e-2);

    [Theory]
    [InlineData("q_proj")]
    [InlineData("k_proj")]
    [InlineData("v_proj")]
    public void The_rewards_would_show_a_bias_left_out(string projection) => Assert.True(ParityModel.RewardChange(
        "qwen2", changeWeights: tensors =>
        {
            var name = $"model.layers.0.self_attn.{projection}.bias";
            tensors[name] = zeros(tensors[name].shape);
        }) > 1e-3);

    [Fact]
    public void Positions_in_pictures_are_refused_and_may_be_switched_off()
    {
        Assert.Equal(["'use_mrope' is true; expected false"], ParityModel.Problems("qwen2", config => config["use_mrope"] = true));
        Assert.InRange(ParityModel.RewardChange("qwen2", config => config["use_mrope"] = false), 0, 1e-5);
    }

    [Fact]
    public void Windows_that_cannot_be_honoured_are_told()
    {
        Assert.Equal(
            [
                "layer_types has 2 entries and num_hidden_layers is 3; expected as many",
                "layer_types has \"chunked_attention\"; expected \"full_attention\" and \"sliding_attention\" only",
                "sliding_window is 0; expected at least 1, or null for no window",
            ],
            ParityModel.Problems("qwen2_window", config =>
            {
                config["layer_types"] = new JsonArray("chunked_attention", "sliding_attention");
                config["sliding_window"] = 0;
            }));
        Assert.Equal(
            ["layer_types has \"sliding_attention\"; expected use_sliding_window to be true, and sliding_window a number"],
            ParityModel.Problems("qwen2_window", config => config["use_sliding_window"] = false));
    }
}
