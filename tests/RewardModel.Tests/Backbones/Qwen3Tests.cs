using System.Text.Json.Nodes;
using RewardModel.Checkpoints;
using RewardModel.Scoring;
using RewardModel.Tests.Parity;
using static TorchSharp.torch;

namespace RewardModel.Tests.Backbones;

public class Qwen3Tests
{
    [Theory]
    [InlineData("rms_norm_eps", "1e-5", 1e-5)]
    [InlineData("rope_parameters", """{"rope_theta": 10000.0, "rope_type": "default"}""", 1e-3)]
    public void The_rewards_would_show_another_setting(string setting, string value, double leastChange) =>
        Assert.True(ParityModel.RewardChange("qwen3", config => config[setting] = JsonNode.Parse(value)) > leastChange);

    [Fact]
    public void The_rewards_would_show_windows() => Assert.True(ParityModel.RewardChange("qwen3", config =>
    {
        config["use_sliding_window"] = true;
        config["sliding_window"] = 6;
        config["layer_types"] = new JsonArray("full_attention", "sliding_attention");
    }) > 1e-2);

    [Theory]
    [InlineData("q_norm")]
    [InlineData("k_norm")]
    public void The_rewards_would_show_a_norm_of_heads_left_at_1(string norm) => Assert.True(ParityModel.RewardChange(
        "qwen3", changeWeights: tensors =>
        {
            var name = $"model.layers.0.self_attn.{norm}.weight";
            tensors[name] = ones(tensors[name].shape);
        }) > 1e-3);

    [Fact]
    public void Biases_of_attention_are_there_when_asked_for()
    {
        using var parity = ParityModel.OfRepository("qwen3", change: config => config["attention_bias"] = true);
        using var model = RewardTransformer.FromConfig(HuggingFaceConfig.Read(parity.Directory));
        Assert.Equal(
            ["k_proj.bias", "o_proj.bias", "q_proj.bias", "v_proj.bias"],
            model.CheckpointParameters.Select(pair => pair.Name)
                .Where(name => name.Contains("layers.0.", StringComparison.Ordinal) && name.EndsWith(".bias", StringComparison.Ordinal))
                .Select(name => name["model.layers.0.self_attn.".Length..]).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Heads_of_an_odd_size_are_refused() => Assert.Equal(
        ["13 of a head's 13 channels are to be rotated; expected an even number of them, which rotary positions turn in pairs"],
        ParityModel.Problems("qwen3", config => config["head_dim"] = 13));
}
