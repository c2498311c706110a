using System.Text.Json.Nodes;
using RewardModel.Checkpoints;
using RewardModel.Layers;
using RewardModel.Scoring;
using RewardModel.Tests.Parity;
using static TorchSharp.torch;

namespace RewardModel.Tests.Backbones;

public class GptOssTests
{
    public static TheoryData<string> Recorded => [.. RoutingRecord.ModelsOf("gpt_oss")];

    [Theory]
    [InlineData("num_experts_per_tok", "2", 1e-2)]
    [InlineData("rms_norm_eps", "1e-4", 1e-5)]
    [InlineData("sliding_window", "7", 1e-2)]
    [InlineData("sliding_window", "null", 1e-2)]
    [InlineData("layer_types", """["full_attention", "sliding_attention"]""", 1e-2)]
    public void The_rewards_would_show_another_setting(string setting, string value, double leastChange) =>
        Assert.True(ParityModel.RewardChange("gpt_oss", config => config[setting] = JsonNode.Parse(value)) > leastChange);

    [Theory]
    [InlineData("truncate", "true")]
    [InlineData("factor", "8")]
    [InlineData("rope_theta", "10000")]
    public void The_rewards_would_show_other_rotary_positions(string setting, string value) => Assert.True(ParityModel.RewardChange(
        "gpt_oss", config => config["rope_parameters"]![setting] = JsonNode.Parse(value)) > 1e-3);

    [Theory, MemberData(nameof(Recorded))]
    public void Tokens_go_through_the_experts_that_the_reference_chooses(string name) =>
        RoutingRecord.Compare(name, (logits_TE, chosenCount) => ExpertRoutes.OfLogits(logits_TE, chosenCount));

    [Theory]
    [InlineData("self_attn.sinks")]
    [InlineData("self_attn.q_proj.bias")]
    [InlineData("self_attn.k_proj.bias")]
    [InlineData("self_attn.v_proj.bias")]
    [InlineData("self_attn.o_proj.bias")]
    [InlineData("mlp.router.bias")]
    [InlineData("mlp.experts.gate_up_proj_bias")]
    [InlineData("mlp.experts.down_proj_bias")]
    public void The_rewards_would_show_a_part_left_out(string part) => Assert.True(ParityModel.RewardChange(
        "gpt_oss", changeWeights: tensors =>
        {
            var name = $"model.layers.0.{part}";
            tensors[name] = zeros(tensors[name].shape);
        }) > 1e-3);

    [Fact]
    public void The_rewards_would_show_gates_and_factors_in_each_others_place() => Assert.True(ParityModel.RewardChange(
        "gpt_oss", changeWeights: tensors =>
        {
            var name = "model.layers.0.mlp.experts.gate_up_proj";
            tensors[name] = tensors[name].view(5, 32, 20, 2).flip(3).reshape(5, 32, 40);
        }) > 1e-3);

    [Fact]
    public void New_weights_are_drawn_as_in_the_reference()
    {
        using var parity = ParityModel.OfRepository("gpt_oss", change: config => config["initializer_range"] = 0.5);
        using var model = RewardTransformer.FromConfig(HuggingFaceConfig.Read(parity.Directory));
        var values = model.CheckpointParameters.ToDictionary(pair => pair.Name, pair => pair.Parameter);
        foreach (var (name, deviation) in new[]
        {
            ("self_attn.sinks", 0.5), ("mlp.router.weight", 0.5), ("mlp.router.bias", 0.5), ("mlp.experts.gate_up_proj", 0.5),
            ("mlp.experts.gate_up_proj_bias", 0), ("mlp.experts.down_proj", 0.5), ("mlp.experts.down_proj_bias", 0), ("self_attn.o_proj.bias", 0),
        })
            Assert.InRange(
                values[$"model.layers.0.{name}"].detach().square().mean().sqrt().item<float>(), 0.4 * deviation, 2 * deviation);
    }

    [Fact]
    public void What_published_models_say_besides_is_taken() => Assert.InRange(ParityModel.RewardChange("gpt_oss", config =>
    {
        config["experts_per_token"] = 3;
        config["initial_context_length"] = 16;
        config["swiglu_limit"] = 7.0;
        config["hidden_act"] = "silu";
        config["output_router_logits"] = true;
    }), 0, 1e-5);

    [Fact]
    public void Settings_that_cannot_be_honoured_are_told() => Assert.Equal(
        [
            "num_experts_per_tok is 6 and there are 5 experts; expected at most as many",
            "rope_parameters and rope_scaling are missing; expected one of them",
            "'swiglu_limit' is 10; expected 7",
        ],
        ParityModel.Problems("gpt_oss", config =>
        {
            config["num_experts_per_tok"] = 6;
            config.Remove("rope_parameters");
            config["swiglu_limit"] = 10;
        }));

    [Fact]
    public void Published_weights_of_four_bits_are_refused_with_what_to_do()
    {
        using var parity = ParityModel.OfRepository("gpt_oss", change: config => config["quantization_config"] = new JsonObject
        {
            ["modules_to_not_convert"] = new JsonArray("model.layers.*.self_attn"),
            ["quant_method"] = "mxfp4",
        });
        var error = Assert.Throws<CheckpointException>(parity.Load);
        Assert.Equal(["the checkpoint is quantised (mxfp4), as 'quantization_config' says; this is not supported"], error.Problems);
        Assert.Contains("Mxfp4Config(dequantize=True)", error.Advice, StringComparison.Ordinal);
    }
}
