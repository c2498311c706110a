using System.Text.Json.Nodes;
using RewardModel.Tests.Parity;
using static TorchSharp.torch;

namespace RewardModel.Tests.Backbones;

public class PhiTests
{
    [Theory]
    [InlineData("layer_norm_eps", "1e-6", 1e-5)]
    [InlineData("hidden_act", "\"gelu\"", 1e-5)]
    [InlineData("rope_parameters", """{"rope_theta": 20000.0, "rope_type": "default", "partial_rotary_factor": 0.4}""", 1e-5)]
    public void The_rewards_would_show_another_setting(string setting, string value, double leastChange) =>
        Assert.True(ParityModel.RewardChange("phi", config => config[setting] = JsonNode.Parse(value)) > leastChange);

    [Fact]
    public void The_rewards_would_show_another_share_of_a_head_rotated() => Assert.True(
        ParityModel.RewardChange(
            "phi", config => (config["rope_parameters"]!["partial_rotary_factor"], config["partial_rotary_factor"]) = (0.5, 0.5)) > 1e-3);

    [Fact]
    public void Half_is_rotated_where_the_file_does_not_say_it()
    {
        double Change(double? share) => ParityModel.RewardChange("phi", config =>
        {
            config.Remove("rope_parameters");
            config["partial_rotary_factor"] = share;
        });
        Assert.Equal(Change(0.5), Change(null));
    }

    [Theory]
    [InlineData("phi", "self_attn.q_proj")]
    [InlineData("phi", "self_attn.v_proj")]
    [InlineData("phi", "self_attn.dense")]
    [InlineData("phi", "mlp.fc1")]
    [InlineData("phi", "mlp.fc2")]
    [InlineData("phi", "input_layernorm")]
    [InlineData("phi_norms", "self_attn.q_layernorm")]
    public void The_rewards_would_show_a_bias_left_out(string model, string layer) => Assert.True(ParityModel.RewardChange(
        model, changeWeights: tensors =>
        {
            var name = $"model.layers.0.{layer}.bias";
            tensors[name] = zeros(tensors[name].shape);
        }) > 1e-3);

    [Theory]
    [InlineData("q_layernorm")]
    [InlineData("k_layernorm")]
    public void The_rewards_would_show_another_norm_of_queries_and_keys(string norm) => Assert.True(ParityModel.RewardChange(
        "phi_norms", changeWeights: tensors =>
        {
            var name = $"model.layers.0.self_attn.{norm}.weight";
            tensors[name] = tensors[name].mul(1.1);
        }) > 1e-3);

    [Fact]
    public void The_rewards_would_show_a_missing_layer() => Assert.True(
        ParityModel.RewardChange("phi", config => config["num_hidden_layers"] = 1, ParityModel.DropLayer(1)) > 1e-1);

    [Fact]
    public void Buffers_of_old_files_are_left_out() => Assert.InRange(ParityModel.RewardChange(
        "phi", changeWeights: tensors => tensors["model.layers.1.self_attn.rotary_emb.inv_freq"] = zeros(3)), 0, 1e-5);

    [Fact]
    public void Settings_that_cannot_be_honoured_are_told() => Assert.Equal(
        [
            "hidden_size is 32 and num_attention_heads 3; expected the first to be a multiple of the second",
            "num_attention_heads is 3 and num_key_value_heads 2; expected the first to be a multiple of the second",
            "'sliding_window' is 6; expected no such setting: this architecture sees all tokens; null means no window",
        ],
        ParityModel.Problems("phi", config =>
        {
            config["num_attention_heads"] = 3;
            config["num_key_value_heads"] = 2;
            config["sliding_window"] = 6;
        }));
}
