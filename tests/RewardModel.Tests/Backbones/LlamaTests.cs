using System.Text.Json.Nodes;
using RewardModel.Tests.Parity;

namespace RewardModel.Tests.Backbones;

public class LlamaTests
{
    [Theory]
    [InlineData("llama", "rms_norm_eps", "1e-5", 1e-5)]
    [InlineData("llama", "rope_parameters", """{"rope_theta": 20000.0, "rope_type": "default"}""", 1e-3)]
    [InlineData("llama_rope_llama3", "rope_parameters", """{"rope_theta": 10000.0, "rope_type": "default"}""", 1e-3)]
    public void The_rewards_would_show_another_setting(string name, string setting, string value, double leastChange) =>
        Assert.True(ParityModel.RewardChange(name, config => config[setting] = JsonNode.Parse(value)) > leastChange);

    [Fact]
    public void The_rewards_would_show_a_missing_layer() => Assert.True(ParityModel.RewardChange(
        "llama", config => config["num_hidden_layers"] = 1, ParityModel.DropLayer(1)) > 1e-1);

    [Fact]
    public void The_rewards_would_show_gate_and_up_swapped() => Assert.True(ParityModel.RewardChange("llama", changeWeights: tensors =>
    {
        const string gate = "model.layers.0.mlp.gate_proj.weight", up = "model.layers.0.mlp.up_proj.weight";
        (tensors[gate], tensors[up]) = (tensors[up], tensors[gate]);
    }) > 1e-2);
}
