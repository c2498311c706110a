using System.Text.Json.Nodes;
using RewardModel.Tests.Parity;

namespace RewardModel.Tests.Backbones;

public class Olmo3Tests
{
    private const string Yarn = """
        {"rope_theta": 500000.0, "rope_type": "yarn", "factor": 8.0, "original_max_position_embeddings": 16}
        """;

    [Theory]
    [InlineData("sliding_window", "7", 1e-3)]
    [InlineData("sliding_window", "5", 1e-3)]
    [InlineData("layer_types", """["full_attention", "sliding_attention", "sliding_attention", "sliding_attention"]""", 1e-3)]
    [InlineData("rms_norm_eps", "1e-6", 1e-5)]
    [InlineData("rope_parameters", """{"rope_theta": 10000.0, "rope_type": "default"}""", 1e-3)]
    public void The_rewards_would_show_another_setting(string setting, string value, double leastChange) =>
        Assert.True(ParityModel.RewardChange("olmo3", config => config[setting] = JsonNode.Parse(value)) > leastChange);

    [Theory]
    [InlineData("post_attention_layernorm")]
    [InlineData("post_feedforward_layernorm")]
    [InlineData("self_attn.q_norm")]
    [InlineData("self_attn.k_norm")]
    public void The_rewards_would_show_another_norm(string norm) => Assert.True(
        ParityModel.RewardChange("olmo3", changeWeights: tensors =>
            tensors[$"model.layers.0.{norm}.weight"] = tensors[$"model.layers.0.{norm}.weight"].mul(1.1)) > 1e-3);

    // A norm of its own for every head would not see it.
    [Fact]
    public void The_norm_of_queries_is_of_all_heads_together() => Assert.True(
        ParityModel.RewardChange("olmo3", changeWeights: tensors =>
        {
            const string name = "model.layers.0.self_attn.q_proj.weight";
            tensors[name] = tensors[name].clone();
            tensors[name].narrow(0, 0, 8).mul_(2);
        }) > 1e-2);

    [Fact]
    public void Every_fourth_layer_sees_all_where_the_file_does_not_say_it() => Assert.InRange(
        ParityModel.RewardChange("olmo3", config => config.Remove("layer_types")), 0, 1e-5);

    // As the models were trained; the reference of the parity numbers scales every layer.
    [Fact]
    public void A_scaling_of_positions_is_for_the_layers_without_a_window_alone()
    {
        Assert.Equal(Change("sliding_attention", yarn: false), Change("sliding_attention", yarn: true));
        Assert.True(Math.Abs(Change("full_attention", yarn: false) - Change("full_attention", yarn: true)) > 1e-3);

        static double Change(string type, bool yarn) => ParityModel.RewardChange("olmo3", config =>
        {
            config["layer_types"] = new JsonArray([.. Enumerable.Repeat(type, 4).Select(each => (JsonNode)each)]);
            if (yarn)
                config["rope_parameters"] = JsonNode.Parse(Yarn);
        });
    }

    [Fact]
    public void Settings_that_cannot_be_honoured_are_told()
    {
        Assert.Equal(
            [
                "layer_types has 1 entries and num_hidden_layers is 4; expected as many",
                "layer_types has \"chunked_attention\"; expected \"full_attention\" and \"sliding_attention\" only",
                "num_attention_heads is 4 and num_key_value_heads 3; expected the first to be a multiple of the second",
                "'clip_qkv' is 8; expected no such setting: this architecture does not clip queries, keys and values",
            ],
            ParityModel.Problems("olmo3", config =>
            {
                config["layer_types"] = new JsonArray("chunked_attention");
                config["num_key_value_heads"] = 3;
                config["clip_qkv"] = 8;
            }));
        Assert.Equal(
            ["sliding_window is null and layers have \"sliding_attention\"; expected a number"],
            ParityModel.Problems("olmo3", config => config["sliding_window"] = null));
    }
}
