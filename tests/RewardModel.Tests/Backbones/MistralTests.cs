using System.Text.Json.Nodes;
using RewardModel.Tests.Parity;

namespace RewardModel.Tests.Backbones;

public class MistralTests
{
    [Theory]
    [InlineData("sliding_window", "7", 1e-2)]
    [InlineData("sliding_window", "5", 1e-2)]
    [InlineData("sliding_window", "null", 1e-2)]
    [InlineData("rms_norm_eps", "1e-5", 1e-5)]
    [InlineData("rope_parameters", """{"rope_theta": 20000.0, "rope_type": "default"}""", 1e-3)]
    public void The_rewards_would_show_another_setting(string setting, string value, double leastChange) =>
        Assert.True(ParityModel.RewardChange("mistral", config => config[setting] = JsonNode.Parse(value)) > leastChange);

    [Fact]
    public void A_window_of_null_is_none_and_an_absent_one_wide()
    {
        var change = ParityModel.RewardChange("mistral", config => config["sliding_window"] = 64);
        Assert.Equal(change, ParityModel.RewardChange("mistral", config => config["sliding_window"] = null));
        Assert.Equal(change, ParityModel.RewardChange("mistral", config => config.Remove("sliding_window")));
    }

    [Theory]
    [InlineData("sliding_attention", true)]
    [InlineData("full_attention", false)]
    public void Kinds_of_layers_that_say_the_same_as_the_window_are_taken(string type, bool hasWindow) =>
        Assert.Equal(
            ParityModel.RewardChange("mistral", config => config["sliding_window"] = hasWindow ? 6 : null),
            ParityModel.RewardChange("mistral", config =>
            {
                config["sliding_window"] = hasWindow ? 6 : null;
                config["layer_types"] = new JsonArray(type, type);
            }));

    [Fact]
    public void Settings_that_cannot_be_honoured_are_told() => Assert.Equal(
        [
            "sliding_window is 0; expected at least 1, or null for no window",
            "num_attention_heads is 4 and num_key_value_heads 3; expected the first to be a multiple of the second",
            "layer_types has 1 entries and num_hidden_layers is 2; expected as many",
            "layer_types has \"full_attention\" and sliding_window is a number; expected \"sliding_attention\" for every layer",
        ],
        ParityModel.Problems("mistral", config =>
        {
            config["sliding_window"] = 0;
            config["num_key_value_heads"] = 3;
            config["layer_types"] = new JsonArray("full_attention");
        }));
}
