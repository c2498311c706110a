using System.Text.Json.Nodes;
using RewardModel.Checkpoints;
using RewardModel.Scoring;
using RewardModel.Tests.Parity;

namespace RewardModel.Tests.Backbones;

public class Olmo2Tests
{
    [Theory]
    [InlineData("rms_norm_eps", "1e-6", 1e-5)]
    [InlineData("hidden_act", "\"gelu\"", 1e-2)]
    [InlineData("rope_parameters", """{"rope_theta": 10000.0, "rope_type": "default"}""", 1e-3)]
    public void The_rewards_would_show_another_setting(string setting, string value, double leastChange) =>
        Assert.True(ParityModel.RewardChange("olmo2", config => config[setting] = JsonNode.Parse(value)) > leastChange);

    [Theory]
    [InlineData("post_attention_layernorm")]
    [InlineData("post_feedforward_layernorm")]
    [InlineData("self_attn.q_norm")]
    [InlineData("self_attn.k_norm")]
    public void The_rewards_would_show_another_norm(string norm) => Assert.True(
        ParityModel.RewardChange("olmo2", changeWeights: tensors =>
            tensors[$"model.layers.0.{norm}.weight"] = tensors[$"model.layers.0.{norm}.weight"].mul(1.1)) > 1e-3);

    // A norm of its own for every head would not see it.
    [Theory]
    [InlineData("q_proj", 8)]
    [InlineData("k_proj", 8)]
    public void The_norm_of_queries_or_keys_is_of_all_heads_together(string projection, int headSize) => Assert.True(
        ParityModel.RewardChange("olmo2", changeWeights: tensors =>
        {
            var name = $"model.layers.0.self_attn.{projection}.weight";
            tensors[name] = tensors[name].clone();
            tensors[name].narrow(0, 0, headSize).mul_(2);
        }) > 1e-2);

    [Fact]
    public void Attention_may_have_biases()
    {
        using var parity = ParityModel.OfRepository("olmo2", change: config => config["attention_bias"] = true);
        using var model = RewardTransformer.FromConfig(HuggingFaceConfig.Read(parity.Directory));
        Assert.Equal(8, model.CheckpointParameters.Count(pair => pair.Name.EndsWith("_proj.bias", StringComparison.Ordinal)));
    }

    [Fact]
    public void Settings_that_cannot_be_honoured_are_told() => Assert.Equal(
        [
            "num_attention_heads is 4 and num_key_value_heads 3; expected the first to be a multiple of the second",
            "'clip_qkv' is 8; expected no such setting: this architecture does not clip queries, keys and values",
            "'sliding_window' is 6; expected no such setting: this architecture sees all tokens; null means no window",
        ],
        ParityModel.Problems("olmo2", config =>
        {
            config["num_key_value_heads"] = 3;
            config["clip_qkv"] = 8;
            config["sliding_window"] = 6;
        }));
}
