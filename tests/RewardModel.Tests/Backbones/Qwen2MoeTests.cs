using System.Text.Json.Nodes;
using RewardModel.Layers;
using RewardModel.Tests.Parity;
using static TorchSharp.torch;

namespace RewardModel.Tests.Backbones;

public class Qwen2MoeTests
{
    public static TheoryData<string> Recorded => [.. RoutingRecord.ModelsOf("qwen2_moe")];

    [Theory]
    [InlineData("norm_topk_prob", "true", 1e-2)]
    [InlineData("num_experts_per_tok", "3", 1e-2)]
    [InlineData("rms_norm_eps", "1e-5", 1e-5)]
    [InlineData("sliding_window", "7", 1e-2)]
    [InlineData("layer_types", """["full_attention", "full_attention", "full_attention"]""", 1e-2)]
    [InlineData("layer_types", """["sliding_attention", "sliding_attention", "full_attention"]""", 1e-2)]
    [InlineData("rope_parameters", """{"rope_theta": 10000.0, "rope_type": "default"}""", 1e-3)]
    public void The_rewards_would_show_another_setting(string setting, string value, double leastChange) =>
        Assert.True(ParityModel.RewardChange("qwen2_moe", config => config[setting] = JsonNode.Parse(value)) > leastChange);

    [Theory]
    [InlineData("max_window_layers", "0")]
    [InlineData("max_window_layers", "3")]
    [InlineData("use_sliding_window", "false")]
    public void Without_layer_types_the_rewards_would_show_other_windows(string setting, string value) =>
        Assert.True(ParityModel.RewardChange("qwen2_moe", config =>
        {
            config.Remove("layer_types");
            config[setting] = JsonNode.Parse(value);
        }) > 1e-2);

    [Theory, MemberData(nameof(Recorded))]
    public void Tokens_go_through_the_experts_that_the_reference_chooses(string name) =>
        RoutingRecord.Compare(name, (logits_TE, chosenCount) => ExpertRoutes.OfShares(logits_TE, chosenCount, isNormalized: false));

    [Theory]
    [InlineData("self_attn.q_proj.bias")]
    [InlineData("self_attn.k_proj.bias")]
    [InlineData("self_attn.v_proj.bias")]
    [InlineData("mlp.shared_expert_gate.weight")]
    [InlineData("mlp.shared_expert.down_proj.weight")]
    public void The_rewards_would_show_a_part_left_out(string part) => Assert.True(ParityModel.RewardChange(
        "qwen2_moe", changeWeights: tensors =>
        {
            var name = $"model.layers.0.{part}";
            tensors[name] = zeros(tensors[name].shape);
        }) > 1e-3);

    [Fact]
    public void Without_biases_of_attention_there_are_none()
    {
        var problems = ParityModel.Problems("qwen2_moe", config => config["qkv_bias"] = false);
        Assert.Equal(9, problems.Count);
        Assert.Contains("tensor 'model.layers.0.self_attn.k_proj.bias' is not part of the model; expected no such tensor", problems);
    }

    [Fact]
    public void Settings_that_cannot_be_honoured_are_told() => Assert.Equal(
        [
            "sliding_window is 0; expected at least 1, or null for no window",
            "num_experts_per_tok is 6 and there are 5 experts; expected at most as many",
            "'shared_expert_intermediate_size' is 0; expected at least 1",
            "'num_local_experts' is 5; expected 0: layers of experts are not supported",
        ],
        ParityModel.Problems("qwen2_moe", config =>
        {
            config["sliding_window"] = 0;
            config["num_experts_per_tok"] = 6;
            config["shared_expert_intermediate_size"] = 0;
            config["num_local_experts"] = 5;
        }));
}
