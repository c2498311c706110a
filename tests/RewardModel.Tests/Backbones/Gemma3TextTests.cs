using System.Text.Json.Nodes;
using RewardModel.Checkpoints;
using RewardModel.Scoring;
using RewardModel.Tests.Parity;

namespace RewardModel.Tests.Backbones;

public class Gemma3TextTests
{
    [Theory]
    [InlineData("rms_norm_eps", "1e-5", 1e-5)]
    [InlineData("sliding_window", "7", 1e-3)]
    [InlineData("sliding_window", "5", 1e-3)]
    [InlineData("layer_types", """["full_attention", "sliding_attention"]""", 1e-2)]
    [InlineData("query_pre_attn_scalar", "12", 1e-2)]
    [InlineData("hidden_activation", "\"gelu\"", 1e-5)]
    public void The_rewards_would_show_another_setting(string setting, string value, double leastChange) =>
        Assert.True(ParityModel.RewardChange("gemma3_text", config => config[setting] = JsonNode.Parse(value)) > leastChange);

    [Theory]
    [InlineData("full_attention")]
    [InlineData("sliding_attention")]
    public void The_rewards_would_show_another_rotary_base_of_either_kind_of_layer(string kind) => Assert.True(
        ParityModel.RewardChange("gemma3_text", config => config["rope_parameters"]![kind]!["rope_theta"] = 20_000.0) > 1e-3);

    [Fact]
    public void The_rewards_would_show_a_missing_layer() => Assert.True(ParityModel.RewardChange(
        "gemma3_text",
        config =>
        {
            config["num_hidden_layers"] = 1;
            config["layer_types"] = new JsonArray("sliding_attention");
        },
        ParityModel.DropLayer(1)) > 1e-1);

    [Fact]
    public void The_rewards_would_show_layers_swapped() => Assert.True(
        ParityModel.RewardChange("gemma3_text", changeWeights: tensors =>
        {
            foreach (var first in tensors.Keys.Where(key => key.Contains(".0.", StringComparison.Ordinal)).ToArray())
            {
                var second = first.Replace(".0.", ".1.", StringComparison.Ordinal);
                (tensors[first], tensors[second]) = (tensors[second], tensors[first]);
            }
        }) > 1e-1);

    [Theory]
    [InlineData("input_layernorm")]
    [InlineData("post_attention_layernorm")]
    [InlineData("pre_feedforward_layernorm")]
    [InlineData("post_feedforward_layernorm")]
    [InlineData("self_attn.q_norm")]
    [InlineData("self_attn.k_norm")]
    public void The_rewards_would_show_a_norm_that_scales_by_w(string norm) => Assert.True(
        ParityModel.RewardChange("gemma3_text", changeWeights: tensors =>
            tensors[$"model.layers.0.{norm}.weight"] = tensors[$"model.layers.0.{norm}.weight"].sub(1)) > 1e-2);

    [Fact]
    public void The_rewards_would_show_embeddings_of_another_scale() => Assert.True(
        ParityModel.RewardChange("gemma3_text", changeWeights: tensors =>
            tensors["model.embed_tokens.weight"] = tensors["model.embed_tokens.weight"].mul(1 / MathF.Sqrt(32))) > 1e-2);

    [Fact]
    public void New_norms_start_at_1()
    {
        using var model = Create(config => config["attention_bias"] = true);
        var vectors = model.CheckpointParameters.Where(pair => pair.Parameter.dim() == 1).ToArray();
        Assert.Equal(21, vectors.Length);
        Assert.All(vectors, pair => Assert.Equal(0, pair.Parameter.detach().abs().max().item<float>()));
        Assert.InRange(Largest("model.embed_tokens.weight"), 0.05, 0.12);

        double Largest(string name) =>
            model.CheckpointParameters.Single(pair => pair.Name == name).Parameter.detach().abs().max().item<float>();
    }

    [Fact]
    public void A_scaling_under_its_older_name_is_for_layers_without_a_window()
    {
        JsonObject Scaled() => new() { ["rope_theta"] = 1_000_000.0, ["rope_type"] = "linear", ["factor"] = 8.0 };
        var nested = ParityModel.RewardChange(
            "gemma3_text", config => config["rope_parameters"] = new JsonObject { ["full_attention"] = Scaled() });
        Assert.True(nested > 1e-3);
        Assert.Equal(nested, ParityModel.RewardChange("gemma3_text", config =>
        {
            config.Remove("rope_parameters");
            config["rope_theta"] = 1_000_000.0;
            config["rope_local_base_freq"] = 10_000.0;
            config["rope_scaling"] = new JsonObject { ["rope_type"] = "linear", ["factor"] = 8.0 };
        }));
    }

    [Fact]
    public void Settings_that_cannot_be_honoured_are_told_at_once() => Assert.Equal(
        [
            "rope_theta is 1000000 and rope_theta is 500000; expected the same number",
            "'query_pre_attn_scalar' is -1; expected a number from 0.001 to 1000000",
            "'use_bidirectional_attention' is true; expected false",
            "attn_logit_softcapping is 50; expected null: Gemma 3 does not cap the scores of attention",
            "sliding_window_pattern is 0; expected at least 1",
        ],
        Assert.Throws<CheckpointException>(() => Create(config =>
        {
            config["rope_theta"] = 500_000.0;
            config["use_bidirectional_attention"] = true;
            config["query_pre_attn_scalar"] = -1;
            config["attn_logit_softcapping"] = 50.0;
            config["sliding_window_pattern"] = 0;
        })).Problems);

    private static RewardTransformer Create(Action<JsonObject> change)
    {
        using var parity = ParityModel.OfRepository("gemma3_text", change: change);
        return RewardTransformer.FromConfig(HuggingFaceConfig.Read(parity.Directory));
    }
}
