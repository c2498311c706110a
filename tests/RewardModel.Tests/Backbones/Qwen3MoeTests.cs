using System.Text.Json.Nodes;
using RewardModel.Checkpoints;
using RewardModel.Layers;
using RewardModel.Scoring;
using RewardModel.Tests.Parity;
using static TorchSharp.torch;

namespace RewardModel.Tests.Backbones;

public class Qwen3MoeTests
{
    public static TheoryData<string> Recorded => [.. RoutingRecord.ModelsOf("qwen3_moe")];

    [Theory]
    [InlineData("norm_topk_prob", "false", 1e-2)]
    [InlineData("num_experts_per_tok", "2", 1e-2)]
    [InlineData("num_experts_per_tok", "4", 1e-2)]
    [InlineData("rms_norm_eps", "1e-5", 1e-5)]
    [InlineData("hidden_act", "\"gelu\"", 1e-3)]
    [InlineData("rope_parameters", """{"rope_theta": 10000.0, "rope_type": "default"}""", 1e-3)]
    public void The_rewards_would_show_another_setting(string setting, string value, double leastChange) =>
        Assert.True(ParityModel.RewardChange("qwen3_moe", config => config[setting] = JsonNode.Parse(value)) > leastChange);

    [Theory, MemberData(nameof(Recorded))]
    public void Tokens_go_through_the_experts_that_the_reference_chooses(string name) =>
        RoutingRecord.Compare(name, (logits_TE, chosenCount) => ExpertRoutes.OfShares(logits_TE, chosenCount, isNormalized: true));

    [Theory]
    [InlineData("q_norm")]
    [InlineData("k_norm")]
    public void The_rewards_would_show_a_norm_of_heads_left_at_1(string norm) => Assert.True(ParityModel.RewardChange(
        "qwen3_moe", changeWeights: tensors =>
        {
            var name = $"model.layers.0.self_attn.{norm}.weight";
            tensors[name] = ones(tensors[name].shape);
        }) > 1e-3);

    [Theory]
    [InlineData("experts.0.gate_proj", "experts.1.gate_proj")]
    [InlineData("experts.2.down_proj", "experts.4.down_proj")]
    [InlineData("experts.3.gate_proj", "experts.3.up_proj")]
    public void The_rewards_would_show_matrices_of_experts_in_each_others_place(string first, string second) => Assert.True(ParityModel.RewardChange(
        "qwen3_moe", changeWeights: tensors =>
        {
            var (one, other) = ($"model.layers.0.mlp.{first}.weight", $"model.layers.0.mlp.{second}.weight");
            (tensors[one], tensors[other]) = (tensors[other], tensors[one]);
        }) > 1e-3);

    [Fact]
    public void The_rewards_would_show_a_router_of_bfloat16() => Assert.True(ParityModel.RewardChange(
        "qwen3_moe", changeWeights: tensors =>
        {
            var name = "model.layers.0.mlp.gate.weight";
            tensors[name] = tensors[name].to(bfloat16).to(float32);
        }) > 1e-5);

    [Fact]
    public void A_window_is_that_of_all_layers_and_only_where_it_is_switched_on()
    {
        Assert.InRange(ParityModel.RewardChange("qwen3_moe", config => config["sliding_window"] = 6), 0, 1e-5);
        var change = ParityModel.RewardChange("qwen3_moe", Windowed);
        Assert.True(change > 1e-2);
        Assert.Equal(change, ParityModel.RewardChange("qwen3_moe", config =>
        {
            Windowed(config);
            config["max_window_layers"] = 1;
            config["layer_types"] = new JsonArray("sliding_attention", "sliding_attention", "sliding_attention");
        }));

        static void Windowed(JsonObject config) => (config["use_sliding_window"], config["sliding_window"]) = (true, 6);
    }

    [Theory]
    [InlineData("[1]", 1, "0 2")]
    [InlineData("[]", 1, "0 1 2")]
    [InlineData("null", 1, "0 1 2")]
    [InlineData("[]", 2, "1")]
    [InlineData("[1, 7]", 2, "")]
    [InlineData("[0]", 3, "2")]
    public void Layers_have_experts_where_two_settings_say_so(string dense, int step, string expected)
    {
        using var parity = ParityModel.OfRepository("qwen3_moe", change: config =>
        {
            config["mlp_only_layers"] = JsonNode.Parse(dense);
            config["decoder_sparse_step"] = step;
        });
        using var model = RewardTransformer.FromConfig(HuggingFaceConfig.Read(parity.Directory));
        var names = model.CheckpointParameters.Select(pair => pair.Name).ToHashSet();
        var found = Enumerable.Range(0, 3).Where(layer => names.Contains($"model.layers.{layer}.mlp.gate.weight")).ToArray();
        Assert.Equal(expected, string.Join(' ', found));
        Assert.All(Enumerable.Range(0, 3).Except(found), layer => Assert.Contains($"model.layers.{layer}.mlp.up_proj.weight", names));
    }

    [Fact]
    public void The_count_of_experts_has_two_names()
    {
        Assert.InRange(ParityModel.RewardChange("qwen3_moe", config => config["num_experts"] = 5), 0, 1e-5);
        Assert.Equal(
            ["num_experts is 4 and num_local_experts is 5; expected the same number"],
            ParityModel.Problems("qwen3_moe", config => config["num_experts"] = 4));
    }

    [Fact]
    public void The_term_of_a_language_models_loss_changes_nothing() => Assert.InRange(ParityModel.RewardChange("qwen3_moe", config =>
    {
        config["output_router_logits"] = true;
        config["router_aux_loss_coef"] = 0.5;
    }), 0, 1e-5);

    [Fact]
    public void Settings_that_cannot_be_honoured_are_told() => Assert.Equal(
        [
            "num_experts_per_tok is 9 and there are 5 experts; expected at most as many",
            "'moe_intermediate_size' is 0; expected at least 1",
            "'decoder_sparse_step' is 0; expected at least 1",
            "'mlp_only_layers' is \"1\"; expected a list of 32-bit whole numbers",
            "num_attention_heads is 4 and num_key_value_heads 3; expected the first to be a multiple of the second",
            "'shared_expert_intermediate_size' is 8; expected no such setting: this library does not know what it does",
        ],
        ParityModel.Problems("qwen3_moe", config =>
        {
            config["num_key_value_heads"] = 3;
            config["mlp_only_layers"] = "1";
            config["decoder_sparse_step"] = 0;
            config["moe_intermediate_size"] = 0;
            config["num_experts_per_tok"] = 9;
            config["shared_expert_intermediate_size"] = 8;
        }));
}
