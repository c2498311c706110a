using System.Text.Json.Nodes;
using RewardModel.Checkpoints;
using RewardModel.Scoring;
using RewardModel.Tests.Parity;

namespace RewardModel.Tests.Backbones;

public class SmolLm3Tests
{
    [Theory]
    [InlineData("smollm3", "no_rope_layers", "[1, 1]", 1e-2)]
    [InlineData("smollm3", "no_rope_layers", "[0, 0]", 1e-2)]
    [InlineData("smollm3", "no_rope_layers", "[0, 1]", 1e-2)]
    [InlineData("smollm3", "rms_norm_eps", "1e-5", 1e-5)]
    [InlineData("smollm3", "rope_parameters", """{"rope_theta": 10000.0, "rope_type": "default"}""", 1e-3)]
    [InlineData("smollm3_window", "sliding_window", "7", 1e-3)]
    [InlineData("smollm3_window", "sliding_window", "5", 1e-3)]
    [InlineData("smollm3_window", "layer_types", """["full_attention", "sliding_attention"]""", 1e-2)]
    public void The_rewards_would_show_another_setting(string name, string setting, string value, double leastChange) =>
        Assert.True(ParityModel.RewardChange(name, config => config[setting] = JsonNode.Parse(value)) > leastChange);

    [Fact]
    public void Without_a_list_every_so_many_th_layer_has_no_positions()
    {
        double Change(int interval, params int[] listed) => ParityModel.RewardChange("smollm3", config =>
        {
            config["no_rope_layer_interval"] = interval;
            config["no_rope_layers"] = listed.Length == 0 ? null : new JsonArray([.. listed.Select(entry => (JsonNode)entry)]);
        });
        Assert.InRange(Change(2), 0, 1e-5);
        Assert.Equal(Change(1, 1, 1), Change(4));
        Assert.Equal(Change(4, 0, 0), Change(1));
        // Entries behind the last layer's are no one's.
        Assert.InRange(Change(4, 1, 0, 1, 1), 0, 1e-5);
    }

    [Theory]
    [InlineData("use_sliding_window", "false")]
    [InlineData("sliding_window", "null")]
    [InlineData("no_rope_layers", "[1, 1]")]
    public void Without_layer_types_layers_without_positions_have_the_window_where_it_is_switched_on(string setting, string value)
    {
        Assert.InRange(ParityModel.RewardChange("smollm3_window", config => config.Remove("layer_types")), 0, 1e-5);
        Assert.True(ParityModel.RewardChange("smollm3_window", config =>
        {
            config.Remove("layer_types");
            config[setting] = JsonNode.Parse(value);
        }) > 1e-2);
    }

    [Fact]
    public void An_absent_rotary_base_is_two_million()
    {
        double Change(JsonNode? parameters) => ParityModel.RewardChange("smollm3", config => config["rope_parameters"] = parameters);
        Assert.Equal(Change(new JsonObject { ["rope_theta"] = 2e6, ["rope_type"] = "default" }), Change(null));
    }

    [Fact]
    public void Attention_and_MLP_may_have_biases()
    {
        using var parity = ParityModel.OfRepository(
            "smollm3", change: config => (config["attention_bias"], config["mlp_bias"]) = (true, true));
        using var model = RewardTransformer.FromConfig(HuggingFaceConfig.Read(parity.Directory));
        Assert.Equal(14, model.CheckpointParameters.Count(pair => pair.Name.EndsWith("_proj.bias", StringComparison.Ordinal)));
    }

    [Fact]
    public void Settings_that_cannot_be_honoured_are_told()
    {
        Assert.Equal(
            [
                "no_rope_layers has 1 entries and num_hidden_layers is 2; expected as many",
                "no_rope_layers has 2; expected 1 for layers with rotary positions and 0 for those without",
                "layer_types has \"sliding_attention\"; expected use_sliding_window to be true, and sliding_window a number",
                "num_attention_heads is 4 and num_key_value_heads 3; expected the first to be a multiple of the second",
            ],
            ParityModel.Problems("smollm3_window", config =>
            {
                config["no_rope_layers"] = new JsonArray(2);
                config["use_sliding_window"] = false;
                config["num_key_value_heads"] = 3;
            }));
        Assert.Equal(
            ["'no_rope_layer_interval' is 0; expected a whole number from 1 to 10000"],
            ParityModel.Problems("smollm3", config => config["no_rope_layer_interval"] = 0));
    }
}
