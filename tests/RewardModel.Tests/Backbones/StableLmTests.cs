using System.Text.Json.Nodes;
using RewardModel.Checkpoints;
using RewardModel.Scoring;
using RewardModel.Tests.Parity;
using static TorchSharp.torch;

namespace RewardModel.Tests.Backbones;

public class StableLmTests
{
    [Theory]
    [InlineData("layer_norm_eps", "1e-6", 1e-5)]
    [InlineData("hidden_act", "\"gelu\"", 1e-3)]
    [InlineData("rope_parameters", """{"rope_theta": 20000.0, "rope_type": "default", "partial_rotary_factor": 0.25}""", 1e-5)]
    public void The_rewards_would_show_another_setting(string setting, string value, double leastChange) =>
        Assert.True(ParityModel.RewardChange("stablelm", config => config[setting] = JsonNode.Parse(value)) > leastChange);

    [Theory]
    [InlineData("stablelm", 0.5)]
    [InlineData("stablelm_12b_style", 1.0)]
    public void The_rewards_would_show_another_share_of_a_head_rotated(string name, double share) => Assert.True(
        ParityModel.RewardChange(
            name, config => (config["rope_parameters"]!["partial_rotary_factor"], config["partial_rotary_factor"]) = (share, share))
        > 1e-3);

    [Fact]
    public void A_quarter_is_rotated_where_the_file_does_not_say_it() => Assert.InRange(
        ParityModel.RewardChange("stablelm", config =>
        {
            config.Remove("partial_rotary_factor");
            config.Remove("rope_parameters");
        }), 0, 1e-5);

    [Theory]
    [InlineData("self_attn.q_proj")]
    [InlineData("self_attn.k_proj")]
    [InlineData("self_attn.v_proj")]
    [InlineData("input_layernorm")]
    [InlineData("post_attention_layernorm")]
    public void The_rewards_would_show_a_bias_left_out(string layer) => Assert.True(ParityModel.RewardChange(
        "stablelm", changeWeights: tensors =>
        {
            var name = $"model.layers.0.{layer}.bias";
            tensors[name] = zeros(tensors[name].shape);
        }) > 1e-3);

    [Fact]
    public void The_rewards_would_show_one_norm_after_the_other() => Assert.True(ParityModel.RewardChange(
        "stablelm_12b_style",
        config => config["use_parallel_residual"] = false,
        tensors =>
        {
            foreach (var name in tensors.Keys.Where(name => name.Contains("input_layernorm", StringComparison.Ordinal)).ToArray())
                tensors[name.Replace("input_layernorm", "post_attention_layernorm", StringComparison.Ordinal)] = tensors[name].clone();
        }) > 1e-2);

    [Theory]
    [InlineData("q_layernorm.norms.0", "q_layernorm.norms.3")]
    [InlineData("k_layernorm.norms.0", "k_layernorm.norms.1")]
    public void The_rewards_would_show_norms_of_other_heads(string one, string other) => Assert.True(ParityModel.RewardChange(
        "stablelm_12b_style", changeWeights: tensors =>
        {
            var (first, second) = ($"model.layers.0.self_attn.{one}.weight", $"model.layers.0.self_attn.{other}.weight");
            (tensors[first], tensors[second]) = (tensors[second], tensors[first]);
        }) > 1e-3);

    [Fact]
    public void Layers_have_the_tensors_that_their_settings_ask_for()
    {
        string[] Names(bool isParallel, bool hasNorms, bool hasBias)
        {
            using var parity = ParityModel.OfRepository("stablelm", change: config =>
            {
                config["use_parallel_residual"] = isParallel;
                config["qk_layernorm"] = hasNorms;
                config["use_qkv_bias"] = hasBias;
            });
            using var model = RewardTransformer.FromConfig(HuggingFaceConfig.Read(parity.Directory));
            const string prefix = "model.layers.0.";
            return [.. model.CheckpointParameters.Where(pair => pair.Name.StartsWith(prefix, StringComparison.Ordinal))
                .Select(pair => pair.Name[prefix.Length..]).Order(StringComparer.Ordinal)];
        }
        string[] always =
        [
            "input_layernorm.bias", "input_layernorm.weight", "mlp.down_proj.weight", "mlp.gate_proj.weight", "mlp.up_proj.weight",
            "self_attn.k_proj.weight", "self_attn.o_proj.weight", "self_attn.q_proj.weight", "self_attn.v_proj.weight",
        ];
        Assert.Equal(always, Names(isParallel: true, hasNorms: false, hasBias: false));
        Assert.Equal(
            ["post_attention_layernorm.bias", "post_attention_layernorm.weight"],
            Names(isParallel: false, hasNorms: false, hasBias: false).Except(always));
        Assert.Equal(
            ["self_attn.k_proj.bias", "self_attn.q_proj.bias", "self_attn.v_proj.bias"],
            Names(isParallel: true, hasNorms: false, hasBias: true).Except(always));
        Assert.Equal(
            [
                "self_attn.k_layernorm.norms.0.weight", "self_attn.q_layernorm.norms.0.weight", "self_attn.q_layernorm.norms.1.weight",
            ],
            Names(isParallel: true, hasNorms: true, hasBias: false).Except(always));
    }

    [Fact]
    public void Settings_that_cannot_be_honoured_are_told()
    {
        Assert.Equal(
            [
                "'rotary_scaling_factor' is 2; expected 1",
                "hidden_size is 32 and num_attention_heads 3; expected the first to be a multiple of the second",
                "num_attention_heads is 3 and num_key_value_heads 2; expected the first to be a multiple of the second",
                "'attention_bias' is true; expected false: this architecture has no biases in attention",
            ],
            ParityModel.Problems("stablelm", config =>
            {
                config["rotary_scaling_factor"] = 2;
                config["num_attention_heads"] = 3;
                config["num_key_value_heads"] = 2;
                config["attention_bias"] = true;
                (config["rope_parameters"]!["partial_rotary_factor"], config["partial_rotary_factor"]) = (0.4, 0.4);
            }));
        Assert.Equal(
            ["partial_rotary_factor is 0.25 and partial_rotary_factor is 0.5; expected the same number"],
            ParityModel.Problems("stablelm", config => config["partial_rotary_factor"] = 0.5));
    }
}
