using System.Text.Json.Nodes;
using RewardModel.Checkpoints;
using RewardModel.Scoring;
using RewardModel.Tests.Parity;

namespace RewardModel.Tests.Backbones;

public class Gemma2Tests
{
    [Theory]
    [InlineData("rms_norm_eps", "1e-5", 1e-5)]
    [InlineData("sliding_window", "7", 1e-3)]
    [InlineData("sliding_window", "5", 1e-3)]
    [InlineData("layer_types", """["full_attention", "sliding_attention"]""", 1e-2)]
    [InlineData("attn_logit_softcapping", "null", 1e-3)]
    [InlineData("attn_logit_softcapping", "2.1", 1e-5)]
    [InlineData("query_pre_attn_scalar", "12", 1e-2)]
    [InlineData("hidden_activation", "\"gelu\"", 1e-5)]
    [InlineData("rope_parameters", """{"rope_theta": 20000.0, "rope_type": "default"}""", 1e-3)]
    public void The_rewards_would_show_another_setting(string setting, string value, double leastChange) =>
        Assert.True(ParityModel.RewardChange("gemma2", config => config[setting] = JsonNode.Parse(value)) > leastChange);

    [Fact]
    public void The_rewards_would_show_a_missing_layer() => Assert.True(ParityModel.RewardChange(
        "gemma2",
        config =>
        {
            config["num_hidden_layers"] = 1;
            config["layer_types"] = new JsonArray("sliding_attention");
        },
        ParityModel.DropLayer(1)) > 1e-1);

    [Fact]
    public void The_rewards_would_show_layers_swapped() => Assert.True(
        ParityModel.RewardChange("gemma2", changeWeights: tensors =>
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
    public void The_rewards_would_show_a_norm_that_scales_by_w(string norm) => Assert.True(
        ParityModel.RewardChange("gemma2", changeWeights: tensors =>
            tensors[$"model.layers.0.{norm}.weight"] = tensors[$"model.layers.0.{norm}.weight"].sub(1)) > 1e-2);

    [Fact]
    public void The_rewards_would_show_embeddings_of_another_scale() => Assert.True(
        ParityModel.RewardChange("gemma2", changeWeights: tensors =>
            tensors["model.embed_tokens.weight"] = tensors["model.embed_tokens.weight"].mul(1 / MathF.Sqrt(32))) > 1e-2);

    [Fact]
    public void New_norms_start_at_1()
    {
        using var model = Create(config => config["attention_bias"] = true);
        var vectors = model.CheckpointParameters.Where(pair => pair.Parameter.dim() == 1).ToArray();
        Assert.Equal(17, vectors.Length);
        Assert.All(vectors, pair => Assert.Equal(0, pair.Parameter.detach().abs().max().item<float>()));
        Assert.InRange(Largest("model.embed_tokens.weight"), 0.05, 0.12);

        double Largest(string name) =>
            model.CheckpointParameters.Single(pair => pair.Name == name).Parameter.detach().abs().max().item<float>();
    }

    [Fact]
    public void The_cap_on_the_vocabulary_s_logits_has_no_effect() => Assert.InRange(
        ParityModel.RewardChange("gemma2", config => config["final_logit_softcapping"] = 0.1), 0, 1e-5);

    [Fact]
    public void Every_first_of_two_layers_has_the_window_where_the_file_does_not_say_it() => Assert.InRange(
        ParityModel.RewardChange("gemma2", config => config.Remove("layer_types")), 0, 1e-5);

    [Fact]
    public void Settings_that_cannot_be_honoured_are_told_at_once() => Assert.Equal(
        [
            "'query_pre_attn_scalar' is 0; expected a number from 0.001 to 1000000",
            "'attn_logit_softcapping' is -1; expected a number from 0.001 to 1000000",
            "'use_bidirectional_attention' is true; expected false",
            "num_attention_heads is 4 and num_key_value_heads 3; expected the first to be a multiple of the second",
        ],
        Assert.Throws<CheckpointException>(() => Create(config =>
        {
            config["use_bidirectional_attention"] = true;
            config["query_pre_attn_scalar"] = 0;
            config["attn_logit_softcapping"] = -1.0;
            config["num_key_value_heads"] = 3;
        })).Problems);

    private static RewardTransformer Create(Action<JsonObject> change)
    {
        using var parity = ParityModel.OfRepository("gemma2", change: change);
        return RewardTransformer.FromConfig(HuggingFaceConfig.Read(parity.Directory));
    }
}
