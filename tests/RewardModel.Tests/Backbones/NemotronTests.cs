using System.Text.Json.Nodes;
using RewardModel.Checkpoints;
using RewardModel.Scoring;
using RewardModel.Tests.Parity;
using static TorchSharp.torch;

namespace RewardModel.Tests.Backbones;

public class NemotronTests
{
    [Theory]
    [InlineData("norm_eps", "1e-6", 1e-5)]
    [InlineData("hidden_act", "\"relu\"", 1e-2)]
    [InlineData("rope_parameters", """{"rope_theta": 20000.0, "rope_type": "default", "partial_rotary_factor": 0.5}""", 1e-5)]
    public void The_rewards_would_show_another_setting(string setting, string value, double leastChange) =>
        Assert.True(ParityModel.RewardChange("nemotron", config => config[setting] = JsonNode.Parse(value)) > leastChange);

    [Fact]
    public void The_rewards_would_show_another_share_of_a_head_rotated() => Assert.True(
        ParityModel.RewardChange(
            "nemotron", config => (config["rope_parameters"]!["partial_rotary_factor"], config["partial_rotary_factor"]) = (1, 1)) > 1e-3);

    [Fact]
    public void Half_is_rotated_where_the_file_does_not_say_it() => Assert.InRange(
        ParityModel.RewardChange("nemotron", config =>
        {
            config.Remove("partial_rotary_factor");
            config.Remove("rope_parameters");
        }), 0, 1e-5);

    [Theory]
    [InlineData("layers.0.input_layernorm")]
    [InlineData("layers.1.post_attention_layernorm")]
    [InlineData("norm")]
    public void The_rewards_would_show_a_norm_that_scales_by_w(string norm) => Assert.True(ParityModel.RewardChange(
        "nemotron", changeWeights: tensors => tensors[$"model.{norm}.weight"] = tensors[$"model.{norm}.weight"].sub(1)) > 1e-2);

    [Fact]
    public void The_rewards_would_show_a_bias_of_a_norm_left_out() => Assert.True(ParityModel.RewardChange(
        "nemotron", changeWeights: tensors => tensors["model.layers.0.input_layernorm.bias"] = zeros(32)) > 1e-3);

    [Fact]
    public void Attention_and_MLP_may_have_biases()
    {
        using var parity = ParityModel.OfRepository(
            "nemotron", change: config => (config["attention_bias"], config["mlp_bias"]) = (true, true));
        using var model = RewardTransformer.FromConfig(HuggingFaceConfig.Read(parity.Directory));
        Assert.Equal(12, model.CheckpointParameters.Count(pair => pair.Name.EndsWith("_proj.bias", StringComparison.Ordinal)));
    }

    // As the reference does, although such a norm scales by 2.
    [Fact]
    public void New_norms_have_weights_of_1()
    {
        using var parity = ParityModel.OfRepository("nemotron");
        using var model = RewardTransformer.FromConfig(HuggingFaceConfig.Read(parity.Directory));
        var norms = model.CheckpointParameters.Where(pair => pair.Name.EndsWith("norm.weight", StringComparison.Ordinal)).ToArray();
        Assert.Equal(5, norms.Length);
        Assert.All(norms, pair => Assert.Equal(0, pair.Parameter.detach().sub(1).abs().max().item<float>()));
    }

    [Fact]
    public void Settings_that_cannot_be_honoured_are_told() => Assert.Equal(
        [
            "7 of a head's 15 channels are to be rotated; expected an even number of them, which rotary positions turn in pairs",
            "num_attention_heads is 4 and num_key_value_heads 3; expected the first to be a multiple of the second",
            "'sliding_window' is 6; expected no such setting: this architecture sees all tokens; null means no window",
        ],
        ParityModel.Problems("nemotron", config =>
        {
            config["head_dim"] = 15;
            config["num_key_value_heads"] = 3;
            config["sliding_window"] = 6;
        }));
}
