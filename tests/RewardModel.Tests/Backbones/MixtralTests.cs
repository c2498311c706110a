using System.Text.Json.Nodes;
using RewardModel.Layers;
using RewardModel.Tests.Parity;

namespace RewardModel.Tests.Backbones;

public class MixtralTests
{
    public static TheoryData<string> Recorded => [.. RoutingRecord.ModelsOf("mixtral")];

    [Theory]
    [InlineData("num_experts_per_tok", "1", 1e-2)]
    [InlineData("num_experts_per_tok", "3", 1e-2)]
    [InlineData("rms_norm_eps", "1e-6", 1e-5)]
    [InlineData("sliding_window", "6", 1e-2)]
    [InlineData("rope_parameters", """{"rope_theta": 10000.0, "rope_type": "default"}""", 1e-3)]
    public void The_rewards_would_show_another_setting(string setting, string value, double leastChange) =>
        Assert.True(ParityModel.RewardChange("mixtral", config => config[setting] = JsonNode.Parse(value)) > leastChange);

    [Theory, MemberData(nameof(Recorded))]
    public void Tokens_go_through_the_experts_that_the_reference_chooses(string name) =>
        RoutingRecord.Compare(name, (logits_TE, chosenCount) => ExpertRoutes.OfShares(logits_TE, chosenCount, isNormalized: true));

    [Theory]
    [InlineData("0.w1", "0.w3")]
    [InlineData("1.w2", "2.w2")]
    public void The_rewards_would_show_matrices_of_experts_in_each_others_place(string first, string second) => Assert.True(ParityModel.RewardChange(
        "mixtral", changeWeights: tensors =>
        {
            const string experts = "model.layers.0.block_sparse_moe.experts";
            var (one, other) = ($"{experts}.{first}.weight", $"{experts}.{second}.weight");
            (tensors[one], tensors[other]) = (tensors[other], tensors[one]);
        }) > 1e-3);

    [Fact]
    public void The_rewards_would_show_the_routers_rows_in_each_others_place() => Assert.True(ParityModel.RewardChange(
        "mixtral", changeWeights: tensors =>
        {
            var name = "model.layers.0.block_sparse_moe.gate.weight";
            tensors[name] = tensors[name].flip(0);
        }) > 1e-3);

    [Fact]
    public void What_the_file_does_not_say_is_that_of_Mixtral_8x7B() => Assert.InRange(ParityModel.RewardChange("mixtral", config =>
    {
        // The base of rotary angles, epsilon, no window, two experts of a token.
        foreach (var key in new[] { "rope_parameters", "rms_norm_eps", "sliding_window", "num_experts_per_tok" })
            config.Remove(key);
    }), 0, 1e-5);

    [Fact]
    public void Settings_that_cannot_be_honoured_are_told()
    {
        Assert.Equal(
            [
                "num_local_experts is 5 and num_experts is 6; expected the same number",
                "'router_jitter_noise' is 0.1; expected 0",
                "layer_types has \"sliding_attention\" and sliding_window is null; expected \"full_attention\" for every layer",
            ],
            ParityModel.Problems("mixtral", config =>
            {
                config["num_experts"] = 6;
                config["router_jitter_noise"] = 0.1;
                config["layer_types"] = new JsonArray("full_attention", "sliding_attention");
            }));
        Assert.InRange(ParityModel.RewardChange("mixtral", config => config["output_router_logits"] = true), 0, 1e-5);
    }
}
