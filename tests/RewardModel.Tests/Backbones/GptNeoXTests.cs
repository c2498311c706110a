using System.Text.Json.Nodes;
using RewardModel.Checkpoints;
using RewardModel.Scoring;
using RewardModel.Tests.Parity;
using static TorchSharp.torch;

namespace RewardModel.Tests.Backbones;

public class GptNeoXTests
{
    [Theory]
    [InlineData("gpt_neox", "use_parallel_residual", "false", 1e-2)]
    [InlineData("gpt_neox_sequential", "use_parallel_residual", "true", 1e-2)]
    [InlineData("gpt_neox", "hidden_act", "\"gelu_new\"", 1e-5)]
    [InlineData("gpt_neox", "layer_norm_eps", "1e-6", 1e-5)]
    [InlineData("gpt_neox", "num_attention_heads", "4", 1e-2)]
    [InlineData(
        "gpt_neox", "rope_parameters", """{"partial_rotary_factor": 0.5, "rope_theta": 10000.0, "rope_type": "default"}""", 1e-3)]
    [InlineData(
        "gpt_neox", "rope_parameters", """{"partial_rotary_factor": 0.25, "rope_theta": 20000.0, "rope_type": "default"}""", 1e-4)]
    public void The_rewards_would_show_another_setting(string name, string setting, string value, double leastChange) =>
        Assert.True(ParityModel.RewardChange(name, config => config[setting] = JsonNode.Parse(value)) > leastChange);

    [Fact]
    public void The_rewards_would_show_queries_keys_and_values_in_another_order() => Assert.True(ParityModel.RewardChange(
        "gpt_neox", changeWeights: tensors =>
        {
            const string name = "gpt_neox.layers.0.attention.query_key_value.weight";
            tensors[name] = tensors[name].view(2, 3, 16, 32).permute(1, 0, 2, 3).reshape(96, 32);
        }) > 1e-2);

    [Theory]
    [InlineData("gpt_neox.layers.0.attention.dense.bias")]
    [InlineData("gpt_neox.layers.0.attention.query_key_value.bias")]
    [InlineData("gpt_neox.layers.0.mlp.dense_4h_to_h.bias")]
    public void The_rewards_would_show_a_bias_left_out(string name) => Assert.True(
        ParityModel.RewardChange("gpt_neox", changeWeights: tensors => tensors[name] = zeros(tensors[name].shape)) > 1e-3);

    [Fact]
    public void Without_attention_bias_only_the_mlp_and_the_norms_have_one()
    {
        using var parity = ParityModel.OfRepository("gpt_neox", change: config => config["attention_bias"] = false);
        using var model = RewardTransformer.FromConfig(HuggingFaceConfig.Read(parity.Directory));
        Assert.DoesNotContain(model.CheckpointParameters, pair => pair.Name.Contains(".attention.", StringComparison.Ordinal)
            && pair.Name.EndsWith(".bias", StringComparison.Ordinal));
        Assert.Contains(model.CheckpointParameters, pair => pair.Name == "gpt_neox.layers.0.mlp.dense_4h_to_h.bias");
    }

    [Fact]
    public void Buffers_of_old_files_are_left_out() => Assert.InRange(ParityModel.RewardChange("gpt_neox", changeWeights: tensors =>
    {
        tensors["gpt_neox.layers.0.attention.bias"] = zeros(1, 1, 8, 8);
        tensors["gpt_neox.layers.0.attention.masked_bias"] = zeros(1);
        tensors["gpt_neox.layers.1.attention.rotary_emb.inv_freq"] = zeros(2);
    }), 0, 1e-5);

    [Fact]
    public void Settings_that_cannot_be_honoured_are_told() => Assert.Equal(
        [
            "'hidden_act' is \"mish\"; "
            + "expected one of \"gelu\", \"gelu_fast\", \"gelu_new\", \"gelu_pytorch_tanh\", \"relu\", \"relu2\", \"silu\", \"tanh\"",
            "hidden_size is 32 and num_attention_heads 3; expected the first to be a multiple of the second",
        ],
        ParityModel.Problems("gpt_neox", config =>
        {
            config["hidden_act"] = "mish";
            config["num_attention_heads"] = 3;
        }));
}
