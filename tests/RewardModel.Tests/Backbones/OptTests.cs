using System.Text.Json.Nodes;
using RewardModel.Checkpoints;
using RewardModel.Tests.Parity;
using static TorchSharp.torch;

namespace RewardModel.Tests.Backbones;

public class OptTests
{
    private const string Decoder = "model.decoder.";

    [Theory]
    [InlineData("opt", "activation_function", "\"gelu\"", 1e-3)]
    [InlineData("opt", "num_attention_heads", "2", 1e-2)]
    [InlineData("opt_350m_style", "num_attention_heads", "2", 1e-2)]
    public void The_rewards_would_show_another_setting(string name, string setting, string value, double leastChange) =>
        Assert.True(ParityModel.RewardChange(name, config => config[setting] = JsonNode.Parse(value)) > leastChange);

    [Fact]
    public void The_rewards_would_show_norms_in_the_other_order() => Assert.True(ParityModel.RewardChange(
        "opt", config => config["do_layer_norm_before"] = false, WithoutFinalNorm) > 1e-2);

    [Fact]
    public void The_rewards_would_show_a_missing_norm_at_the_end() => Assert.True(ParityModel.RewardChange(
        "opt", config => config["_remove_final_layer_norm"] = true, WithoutFinalNorm) > 1e-2);

    [Fact]
    public void The_rewards_would_show_norms_without_weights() => Assert.True(ParityModel.RewardChange(
        "opt", config => config["layer_norm_elementwise_affine"] = false,
        tensors => Remove(tensors, name => name.Contains("layer_norm", StringComparison.Ordinal))) > 1e-2);

    [Fact]
    public void The_rewards_would_show_missing_biases() => Assert.True(ParityModel.RewardChange(
        "opt", config => config["enable_bias"] = false,
        tensors => Remove(tensors, name => name.EndsWith(".bias", StringComparison.Ordinal)
            && !name.Contains("layer_norm", StringComparison.Ordinal))) > 1e-2);

    [Theory]
    [InlineData("opt")]
    [InlineData("opt_350m_style")]
    public void The_rewards_would_show_positions_from_another_row(string name) => Assert.True(ParityModel.RewardChange(
        name, changeWeights: tensors =>
        {
            var table = tensors[Decoder + "embed_positions.weight"];
            tensors[Decoder + "embed_positions.weight"] = cat([table.narrow(0, 2, table.size(0) - 2), table.narrow(0, 0, 2)]);
        }) > 1e-2);

    [Fact]
    public void The_rewards_would_show_swapped_layers() => Assert.True(ParityModel.RewardChange("opt", changeWeights: tensors =>
    {
        foreach (var name in tensors.Keys.Where(name => name.StartsWith(Decoder + "layers.0.", StringComparison.Ordinal)).ToArray())
        {
            var other = name.Replace("layers.0.", "layers.1.", StringComparison.Ordinal);
            (tensors[name], tensors[other]) = (tensors[other], tensors[name]);
        }
    }) > 1e-2);

    [Fact]
    public void A_checkpoint_of_the_decoder_alone_loads_with_a_new_head_of_the_embeddings_size()
    {
        using var model = ParityModel.OfRepository("opt_350m_style");
        using (var reader = CheckpointReader.Open(model.Directory))
            CheckpointWriter.Write(model.Directory, reader.Names.Where(name => name != "score.weight")
                .Select(name => (name["model.".Length..], reader.Read(name))).ToArray());
        using var loaded = model.Load();
        Assert.True(loaded.HasNewHead);
        Assert.Equal(24, loaded.Backbone.HiddenSize);
        Assert.Equal([1, 24], loaded.CheckpointParameters.Single(pair => pair.Name == "score.weight").Parameter.shape);
    }

    [Fact]
    public void Settings_that_cannot_be_honoured_are_told()
    {
        var error = Assert.Throws<CheckpointException>(() => ParityModel.RewardChange("opt", config =>
        {
            config["layerdrop"] = 0.1;
            config["num_attention_heads"] = 5;
            config["activation_function"] = "swish";
            config["sliding_window"] = 8;
        }));
        Assert.Equal(
            [
                "'activation_function' is \"swish\"; "
                + "expected one of \"gelu\", \"gelu_fast\", \"gelu_new\", \"gelu_pytorch_tanh\", \"relu\", \"relu2\", \"silu\", \"tanh\"",
                "'layerdrop' is 0.1; expected 0",
                "hidden_size is 32 and num_attention_heads 5; expected the first to be a multiple of the second",
                "'sliding_window' is 8; expected no such setting: this architecture sees all tokens; null means no window",
            ],
            error.Problems);
    }

    private static void WithoutFinalNorm(Dictionary<string, Tensor> tensors) =>
        Remove(tensors, name => name.StartsWith(Decoder + "final_layer_norm.", StringComparison.Ordinal));

    private static void Remove(Dictionary<string, Tensor> tensors, Func<string, bool> isMeant)
    {
        foreach (var name in tensors.Keys.Where(isMeant).ToArray())
            tensors.Remove(name);
    }
}
