using System.Text.Json.Nodes;
using RewardModel.Layers;
using RewardModel.Tests.Parity;
using static TorchSharp.torch;

namespace RewardModel.Tests.Backbones;

public class Glm4Tests
{
    [Theory]
    [InlineData("rms_norm_eps", "1e-5", 1e-5)]
    [InlineData("hidden_act", "\"gelu\"", 1e-3)]
    public void The_rewards_would_show_another_setting(string setting, string value, double leastChange) =>
        Assert.True(ParityModel.RewardChange("glm4", config => config[setting] = JsonNode.Parse(value)) > leastChange);

    [Theory]
    [InlineData(1, 10000)]
    [InlineData(0.5, 20000)]
    public void The_rewards_would_show_another_rotation(double share, double rotaryBase) => Assert.True(ParityModel.RewardChange(
        "glm4", config =>
        {
            config["partial_rotary_factor"] = share;
            config["rope_parameters"]!["partial_rotary_factor"] = share;
            config["rope_parameters"]!["rope_theta"] = rotaryBase;
        }) > 1e-4);

    [Fact]
    public void The_rewards_would_show_the_halves_of_a_head_rotated_together() => Assert.True(ParityModel.RewardChange(
        "glm4", changeWeights: tensors =>
        {
            // 6 of a head's 12 channels are rotated: 0 with 1, 2 with 3, 4 with 5, and not 0 with 3 and so on.
            var order = tensor(new long[] { 0, 2, 4, 1, 3, 5, 6, 7, 8, 9, 10, 11 });
            foreach (var name in tensors.Keys.Where(name => name.Contains("q_proj", StringComparison.Ordinal)).ToArray())
                tensors[name] = tensors[name].unflatten(0, [-1, 12]).index_select(1, order).flatten(0, 1);
        }) > 1e-3);

    [Fact]
    public void The_rewards_would_show_gate_and_up_in_each_others_place() => Assert.True(ParityModel.RewardChange(
        "glm4", changeWeights: tensors =>
        {
            foreach (var name in tensors.Keys.Where(name => name.Contains("gate_up_proj", StringComparison.Ordinal)).ToArray())
                tensors[name] = tensors[name].roll(tensors[name].size(0) / 2, 0);
        }) > 1e-3);

    [Theory]
    [InlineData("q_proj")]
    [InlineData("k_proj")]
    [InlineData("v_proj")]
    public void The_rewards_would_show_a_bias_left_out(string projection) => Assert.True(ParityModel.RewardChange(
        "glm4", changeWeights: tensors =>
        {
            var name = $"model.layers.0.self_attn.{projection}.bias";
            tensors[name] = zeros(tensors[name].shape);
        }) > 1e-4);

    [Theory]
    [InlineData("input_layernorm")]
    [InlineData("post_self_attn_layernorm")]
    [InlineData("post_attention_layernorm")]
    [InlineData("post_mlp_layernorm")]
    public void The_rewards_would_show_a_norm_left_at_1(string norm) => Assert.True(ParityModel.RewardChange(
        "glm4", changeWeights: tensors =>
        {
            var name = $"model.layers.0.{norm}.weight";
            tensors[name] = ones(tensors[name].shape);
        }) > 1e-3);

    [Theory]
    [InlineData("post_attention_layernorm", "post_self_attn_layernorm")]
    [InlineData("post_attention_layernorm", "post_mlp_layernorm")]
    public void The_rewards_would_show_two_norms_in_each_others_place(string norm, string other) => Assert.True(ParityModel.RewardChange(
        "glm4", changeWeights: tensors =>
        {
            var (name, otherName) = ($"model.layers.0.{norm}.weight", $"model.layers.0.{other}.weight");
            (tensors[name], tensors[otherName]) = (tensors[otherName], tensors[name]);
        }) > 1e-3);

    [Fact]
    public void Settings_that_cannot_be_honoured_are_told() => Assert.Equal(
        [
            "'hidden_act' is \"mish\"; expected one of " + string.Join(", ", ActivationFunction.Names.Select(name => $"\"{name}\"")),
            "num_attention_heads is 4 and num_key_value_heads 3; expected the first to be a multiple of the second",
        ],
        ParityModel.Problems("glm4", config =>
        {
            config["hidden_act"] = "mish";
            config["num_key_value_heads"] = 3;
        }));
}
