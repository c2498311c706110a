using System.Text.Json.Nodes;
using RewardModel.Tests.Parity;
using static TorchSharp.torch;

namespace RewardModel.Tests.Backbones;

public class FalconTests
{
    [Theory]
    [InlineData("falcon", "layer_norm_epsilon", "1e-6", 1e-5)]
    [InlineData("falcon", "activation", "\"gelu_new\"", 1e-5)]
    [InlineData("falcon", "alibi", "true", 1e-3)]
    [InlineData("falcon_alibi", "alibi", "false", 1e-3)]
    [InlineData("falcon", "rope_parameters", """{"rope_theta": 20000.0, "rope_type": "default"}""", 1e-4)]
    public void The_rewards_would_show_another_setting(string name, string setting, string value, double leastChange) =>
        Assert.True(ParityModel.RewardChange(name, config => config[setting] = JsonNode.Parse(value)) > leastChange);

    /// <summary>With as many queries, keys and values in all: the 40B layout has them by group of heads.</summary>
    [Fact]
    public void The_rewards_would_show_queries_keys_and_values_in_another_order() => Assert.True(ParityModel.RewardChange(
        "falcon_40b_style", changeWeights: tensors =>
        {
            const string name = "transformer.h.0.self_attention.query_key_value.weight";
            var groups = tensors[name].view(2, 4, 8, 32);
            tensors[name] = cat([groups.narrow(1, 0, 2).flatten(0, 2), groups.narrow(1, 2, 1).flatten(0, 2), groups.narrow(1, 3, 1).flatten(0, 2)]);
        }) > 1e-3);

    [Fact]
    public void The_rewards_would_show_norms_of_attention_and_mlp_in_each_others_place() => Assert.True(ParityModel.RewardChange(
        "falcon_40b_style", changeWeights: tensors =>
        {
            const string ofAttention = "transformer.h.0.ln_attn.weight", ofMlp = "transformer.h.0.ln_mlp.weight";
            (tensors[ofAttention], tensors[ofMlp]) = (tensors[ofMlp], tensors[ofAttention]);
        }) > 1e-3);

    [Theory]
    [InlineData("falcon_40b_style", "ln_attn.bias")]
    [InlineData("falcon_40b_style", "ln_mlp.bias")]
    [InlineData("falcon_11b_style", "input_layernorm.bias")]
    [InlineData("falcon_alibi", "post_attention_layernorm.bias")]
    [InlineData("falcon_alibi", "self_attention.dense.bias")]
    [InlineData("falcon_alibi", "mlp.dense_h_to_4h.bias")]
    public void The_rewards_would_show_a_bias_left_out(string model, string bias) => Assert.True(ParityModel.RewardChange(
        model, changeWeights: tensors =>
        {
            var name = $"transformer.h.0.{bias}";
            tensors[name] = zeros(tensors[name].shape);
        }) > 1e-3);

    [Theory]
    [InlineData("falcon", "parallel_attn", "false", "h.0.post_attention_layernorm.weight")]
    [InlineData("falcon", "bias", "true", "h.0.self_attention.dense.bias")]
    [InlineData("falcon_alibi", "parallel_attn", "true", "h.0.post_attention_layernorm.weight")]
    public void Another_layout_has_other_weights(string model, string setting, string value, string weight)
    {
        var problems = ParityModel.Problems(model, config => config[setting] = JsonNode.Parse(value));
        Assert.Contains(problems, problem => problem.Contains(weight, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(
        "falcon", "new_decoder_architecture", "true", "parallel_attn", "false",
        "new_decoder_architecture is true and parallel_attn false; expected both to be true, as layers have no other form")]
    [InlineData(
        "falcon", "num_ln_in_parallel_attn", "2", "parallel_attn", "true",
        "num_ln_in_parallel_attn is 2; expected 1, as 2 need new_decoder_architecture")]
    [InlineData(
        "falcon_40b_style", "num_ln_in_parallel_attn", "3", "parallel_attn", "true", "num_ln_in_parallel_attn is 3; expected 1 or 2")]
    [InlineData(
        "falcon_40b_style", "num_kv_heads", "3", "parallel_attn", "true",
        "num_attention_heads is 4 and num_kv_heads 3; expected the first to be a multiple of the second")]
    public void Settings_that_cannot_be_honoured_are_told(
        string name, string setting, string value, string other, string otherValue, string problem) => Assert.Equal(
        [problem],
        ParityModel.Problems(name, config =>
        {
            config[setting] = JsonNode.Parse(value);
            config[other] = JsonNode.Parse(otherValue);
        }));
}
