using System.Text.Json.Nodes;
using RewardModel.Tests.Parity;

namespace RewardModel.Tests.Backbones;

public class Gpt2Tests
{
    [Theory]
    [InlineData("layer_norm_epsilon", "1e-6", 1e-5)]
    [InlineData("n_head", "2", 1e-2)]
    [InlineData("activation_function", "\"gelu\"", 1e-5)]
    public void The_rewards_would_show_another_setting(string setting, string value, double leastChange) =>
        Assert.True(ParityModel.RewardChange("gpt2", config => config[setting] = JsonNode.Parse(value)) > leastChange);

    [Fact]
    public void The_rewards_would_show_a_missing_layer() => Assert.True(ParityModel.RewardChange(
        "gpt2", config => config["n_layer"] = 1, ParityModel.DropLayer(1)) > 1e-1);
}
