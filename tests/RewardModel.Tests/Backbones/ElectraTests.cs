using System.Text.Json.Nodes;
using RewardModel.Checkpoints;
using RewardModel.Scoring;
using RewardModel.Tests.Parity;
using static TorchSharp.torch;

namespace RewardModel.Tests.Backbones;

public class ElectraTests
{
    [Theory]
    [InlineData("hidden_act", "\"gelu_new\"", 1.5e-5)]
    [InlineData("num_attention_heads", "2", 1e-2)]
    [InlineData("layer_norm_eps", "1e-3", 1e-4)]
    public void The_rewards_would_show_another_setting(string setting, string value, double leastChange) =>
        Assert.True(ParityModel.RewardChange("electra", config => config[setting] = JsonNode.Parse(value)) > leastChange);

    [Theory]
    [InlineData("electra.embeddings.token_type_embeddings.weight")]
    [InlineData("electra.embeddings.position_embeddings.weight")]
    public void The_rewards_would_show_another_row_of_a_table(string table) =>
        Assert.True(ParityModel.RewardChange("electra", changeWeights: tensors =>
        {
            var rows = tensors[table].size(0);
            tensors[table] = cat([tensors[table].narrow(0, 1, rows - 1), tensors[table].narrow(0, 0, 1)]);
        }) > 1e-2);

    [Theory]
    [InlineData("electra")]
    [InlineData("electra_wide")]
    public void The_rewards_would_show_a_missing_layer(string name) => Assert.True(ParityModel.RewardChange(
        name, config => config["num_hidden_layers"] = 1, ParityModel.DropLayer(1)) > 1e-2);

    [Theory]
    [InlineData("electra.embeddings_project.bias", "electra.encoder.layer.0.attention.output.dense.bias")]
    [InlineData("electra.encoder.layer.0.attention.output.LayerNorm.weight", "electra.encoder.layer.0.output.LayerNorm.weight")]
    [InlineData("classifier.dense.weight", "electra.encoder.layer.0.attention.output.dense.weight")]
    public void The_rewards_would_show_one_weight_in_the_place_of_another(string name, string other) =>
        Assert.True(ParityModel.RewardChange("electra", changeWeights: tensors => tensors[name] = tensors[other]) > 1e-3);

    // electra_wide has tanh-GELU in its layers and, as the reference, the exact one in its head: neither can be the other's.
    [Fact]
    public void The_function_of_the_layers_is_not_that_of_the_head() => Assert.True(
        ParityModel.RewardChange("electra_wide", config => config["hidden_act"] = "gelu") > 1.5e-5);

    [Fact]
    public void A_projection_of_embeddings_as_wide_as_the_layers_is_told() => Assert.Equal(
        ["tensor 'electra.embeddings_project.weight' is not part of the model; expected no such tensor"],
        Assert.Throws<CheckpointException>(() => ParityModel.RewardChange(
            "electra_wide", changeWeights: tensors => tensors.Add("electra.embeddings_project.weight", ones(32, 32)))).Problems);

    [Fact]
    public void Embeddings_are_128_wide_where_the_settings_do_not_say() => Assert.Contains(
        "tensor 'electra.embeddings.word_embeddings.weight' has shape [97, 24]; expected [97, 128]",
        ParityModel.Problems("electra", config => config.Remove("embedding_size")));

    [Theory]
    [InlineData("summary_type", "\"last\"")]
    [InlineData("summary_use_proj", "false")]
    [InlineData("summary_activation", "\"tanh\"")]
    [InlineData("summary_last_dropout", "0.3")]
    public void Settings_of_another_head_change_nothing(string setting, string value) =>
        Assert.InRange(ParityModel.RewardChange("electra", config => config[setting] = JsonNode.Parse(value)), 0, 1e-5);

    [Fact]
    public void A_discriminator_and_a_generator_get_a_new_head()
    {
        using var model = ParityModel.OfRepository("electra");
        using var reader = CheckpointReader.Open(model.Directory);
        CheckpointWriter.Write(model.Directory, [
            .. reader.Names.Where(name => !name.StartsWith("classifier", StringComparison.Ordinal)).Select(name => (name, reader.Read(name))),
            ("discriminator_predictions.dense.weight", zeros(32, 32)), ("generator_predictions.LayerNorm.weight", ones(24)),
            ("generator_lm_head.bias", zeros(97)), ("electra.embeddings.position_ids", arange(64))]);
        using var loaded = RewardTransformer.Load(model.Directory, seed: 4);
        Assert.True(loaded.HasNewHead);
        Assert.Equal(
            0.02, loaded.CheckpointParameters.Single(pair => pair.Name == "classifier.dense.weight").Parameter.detach().std().item<float>(), 0.002);
    }

    [Fact]
    public void Dropout_acts_before_both_layers_of_the_head()
    {
        using var model = ParityModel.Random("electra", dropout: 0.5);
        model.train();
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var first = ones(1, 32);
        Assert.True(Enumerable.Range(0, 20).Select(_ => model.Head.call(first).item<float>()).Distinct().Count() > 5);
        // Without what the first layer adds to its bias, the draws before it make no difference, those before the second do.
        foreach (var (name, parameter) in model.Head.named_parameters())
            if (name == "classifier.dense.weight")
                parameter.zero_();
            else if (name == "classifier.dense.bias")
                parameter.fill_(1);
        Assert.True(Enumerable.Range(0, 20).Select(_ => model.Head.call(first).item<float>()).Distinct().Count() > 5);
        model.eval();
        Assert.Single(Enumerable.Range(0, 20).Select(_ => model.Head.call(first).item<float>()).Distinct());
    }

    [Fact]
    public void Settings_that_cannot_be_honoured_are_told() => Assert.Equal(
        [
            "'embedding_size' is 0; expected at least 1",
            "'position_embedding_type' is \"relative_key\"; expected \"absolute\"",
            "hidden_size is 32 and num_attention_heads 5; expected the first to be a multiple of the second",
            "'is_decoder' is true; expected false: an encoder that reads in one direction only is not supported",
        ],
        ParityModel.Problems("electra", config =>
        {
            config["embedding_size"] = 0;
            config["position_embedding_type"] = "relative_key";
            config["num_attention_heads"] = 5;
            config["is_decoder"] = true;
        }));
}
