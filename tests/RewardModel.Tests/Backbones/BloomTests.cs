using System.Text.Json;
using System.Text.Json.Nodes;
using RewardModel.Layers;
using RewardModel.Tests.Parity;
using static TorchSharp.torch;

namespace RewardModel.Tests.Backbones;

public class BloomTests
{
    [Theory]
    [InlineData("bloom", "layer_norm_epsilon", "1e-6", 1e-5)]
    [InlineData("bloom", "n_head", "8", 1e-3)]
    [InlineData("bloom", "apply_residual_connection_post_layernorm", "true", 1e-2)]
    [InlineData("bloom_post_norm_residual", "apply_residual_connection_post_layernorm", "false", 1e-2)]
    public void The_rewards_would_show_another_setting(string name, string setting, string value, double leastChange) =>
        Assert.True(ParityModel.RewardChange(name, config => config[setting] = JsonNode.Parse(value)) > leastChange);

    [Theory]
    [InlineData("transformer.word_embeddings_layernorm.bias")]
    [InlineData("transformer.h.0.self_attention.query_key_value.bias")]
    [InlineData("transformer.h.0.self_attention.dense.bias")]
    [InlineData("transformer.h.0.mlp.dense_4h_to_h.bias")]
    public void The_rewards_would_show_a_bias_left_out(string name) => Assert.True(
        ParityModel.RewardChange("bloom", changeWeights: tensors => tensors[name] = zeros(tensors[name].shape)) > 1e-3);

    [Fact]
    public void The_rewards_would_show_queries_keys_and_values_in_another_order() => Assert.True(ParityModel.RewardChange(
        "bloom", changeWeights: tensors =>
        {
            const string name = "transformer.h.0.self_attention.query_key_value.weight";
            tensors[name] = tensors[name].view(6, 3, 8, 48).permute(1, 0, 2, 3).reshape(144, 48);
        }) > 1e-3);

    /// <summary>Of the paper's code, for 8 heads, and for 6: those of 4 and the first and third of 8.</summary>
    [Fact]
    public void Slopes_are_powers_of_a_half()
    {
        double[] ofEight = [.. Enumerable.Range(1, 8).Select(i => Math.Pow(0.5, i))];
        Close(ofEight, new Alibi(8).Slopes);
        Close([0.25, 0.0625, 0.015625, 0.00390625, 0.5, 0.125], new Alibi(6).Slopes);

        static void Close(double[] expected, IReadOnlyList<float> found) => Numbers.AssertEqualButForRounding(
            [.. expected.Select(value => (float)value)], [.. found], units: 2);
    }

    [SharedFact("goldens-next/bloom")]
    public void Slopes_are_those_of_the_reference()
    {
        var golden = JsonNode.Parse(File.ReadAllText(Shared.PathOf("goldens-next/bloom/golden.json")))!;
        Numbers.AssertEqualButForRounding(
            golden["positions"]!["alibi_slopes"].Deserialize<float[]>()!, [.. new Alibi(6).Slopes], units: 2);
    }

    [Fact]
    public void A_size_under_two_keys_has_to_be_the_same()
    {
        using (var model = ParityModel.OfRepository("bloom", change: config => config["n_embed"] = 48))
            model.Load().Dispose();
        Assert.Equal(
            ["hidden_size is 48 and n_embed 32; expected the same number"],
            ParityModel.Problems("bloom", config => config["n_embed"] = 32));
    }

    [Fact]
    public void The_length_that_it_was_trained_on_is_the_longest()
    {
        using var parity = ParityModel.OfRepository("bloom", change: config => config["seq_length"] = 40);
        using var model = parity.Load();
        Assert.Equal(40, model.Backbone.MaxPositions);
    }

    [Fact]
    public void Settings_that_cannot_be_honoured_are_told() => Assert.Equal(
        ["hidden_size is 48 and n_head 5; expected the first to be a multiple of the second"],
        ParityModel.Problems("bloom", config => config["n_head"] = 5));
}
