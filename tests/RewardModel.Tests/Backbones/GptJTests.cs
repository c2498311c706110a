using System.Text.Json.Nodes;
using RewardModel.Tests.Parity;
using static TorchSharp.torch;

namespace RewardModel.Tests.Backbones;

public class GptJTests
{
    [Theory]
    [InlineData("layer_norm_epsilon", "1e-6", 1e-5)]
    [InlineData("activation_function", "\"gelu\"", 1e-5)]
    [InlineData("rotary_dim", "8", 1e-4)]
    [InlineData("n_head", "4", 1e-3)]
    public void The_rewards_would_show_another_setting(string setting, string value, double leastChange) =>
        Assert.True(ParityModel.RewardChange("gptj", config => config[setting] = JsonNode.Parse(value)) > leastChange);

    [Fact]
    public void The_rewards_would_show_the_halves_of_a_head_rotated_together() => Assert.True(ParityModel.RewardChange(
        "gptj", changeWeights: tensors =>
        {
            // 6 of a head's 16 channels are rotated: 0 with 1, 2 with 3, 4 with 5, and not 0 with 3 and so on.
            var order = tensor((long[])[0, 2, 4, 1, 3, 5, .. Enumerable.Range(6, 10).Select(channel => (long)channel)]);
            foreach (var name in tensors.Keys.Where(name => name.Contains("q_proj", StringComparison.Ordinal)).ToArray())
                tensors[name] = tensors[name].unflatten(0, [-1, 16]).index_select(1, order).flatten(0, 1);
        }) > 1e-3);

    [Theory]
    [InlineData("ln_1.bias")]
    [InlineData("mlp.fc_in.bias")]
    [InlineData("mlp.fc_out.bias")]
    public void The_rewards_would_show_a_bias_left_out(string bias) => Assert.True(ParityModel.RewardChange(
        "gptj", changeWeights: tensors =>
        {
            var name = $"transformer.h.0.{bias}";
            tensors[name] = zeros(tensors[name].shape);
        }) > 1e-3);

    [Fact]
    public void Buffers_of_old_files_are_left_out() => Assert.InRange(ParityModel.RewardChange("gptj", changeWeights: tensors =>
    {
        tensors["transformer.h.0.attn.bias"] = zeros(1, 1, 8, 8);
        tensors["transformer.h.1.attn.masked_bias"] = zeros(1);
    }), 0, 1e-5);

    [Fact]
    public void Without_n_inner_an_mlp_is_four_times_as_wide()
    {
        using var model = ParityModel.Random("gptj");
        Assert.Equal([128, 32], model.CheckpointParameters.Single(pair => pair.Name == "transformer.h.0.mlp.fc_in.weight").Parameter.shape);
    }

    [Fact]
    public void Positions_of_the_whole_width_are_refused() => Assert.Equal(
        ["rotary_dim is null or 0 and a head has 16 channels; expected an even number of them, which rotary positions turn in pairs"],
        ParityModel.Problems("gptj", config => config["rotary_dim"] = null));

    [Fact]
    public void Settings_that_cannot_be_honoured_are_told() => Assert.Equal(
        [
            "'rotary' is false; expected true",
            "rotary_dim is 18 and a head has 16 channels; expected an even number of them, which rotary positions turn in pairs",
        ],
        ParityModel.Problems("gptj", config =>
        {
            config["rotary"] = false;
            config["rotary_dim"] = 18;
        }));
}
