using System.Text.Json.Nodes;
using RewardModel.Checkpoints;
using RewardModel.Scoring;
using RewardModel.Tests.Parity;
using static TorchSharp.torch;

namespace RewardModel.Tests.Backbones;

public class ErnieTests
{
    private const string Tasks = "ernie.embeddings.task_type_embeddings.weight";

    [Theory]
    [InlineData("hidden_act", "\"gelu_new\"", 1.5e-5)]
    [InlineData("num_attention_heads", "2", 1e-2)]
    [InlineData("layer_norm_eps", "1e-3", 1e-4)]
    public void The_rewards_would_show_another_setting(string setting, string value, double leastChange) =>
        Assert.True(ParityModel.RewardChange("ernie", config => config[setting] = JsonNode.Parse(value)) > leastChange);

    [Theory]
    [InlineData(Tasks)]
    [InlineData("ernie.embeddings.token_type_embeddings.weight")]
    [InlineData("ernie.embeddings.position_embeddings.weight")]
    public void The_rewards_would_show_another_row_of_a_table(string table) =>
        Assert.True(ParityModel.RewardChange("ernie", changeWeights: tensors =>
        {
            var rows = tensors[table].size(0);
            tensors[table] = cat([tensors[table].narrow(0, 1, rows - 1), tensors[table].narrow(0, 0, 1)]);
        }) > 1e-2);

    [Fact]
    public void The_rewards_would_show_a_missing_layer() => Assert.True(ParityModel.RewardChange(
        "ernie", config => config["num_hidden_layers"] = 1, ParityModel.DropLayer(1)) > 1e-2);

    [Fact]
    public void The_rewards_would_show_another_pooler() => Assert.True(ParityModel.RewardChange(
        "ernie", changeWeights: tensors => tensors["ernie.pooler.dense.weight"] = tensors["ernie.encoder.layer.0.attention.output.dense.weight"])
        > 1e-3);

    [Theory]
    [InlineData("false")]
    [InlineData(null)]
    public void Without_tasks_there_is_no_table_of_them(string? setting)
    {
        Action<JsonObject> withoutTasks = config =>
        {
            config.Remove("use_task_id");
            if (setting is not null)
                config["use_task_id"] = JsonNode.Parse(setting);
        };
        const string positions = "ernie.embeddings.position_embeddings.weight";
        Assert.True(ParityModel.RewardChange("ernie", withoutTasks, tensors => tensors.Remove(Tasks)) > 1e-2);
        // What every token has may as well be in the table of positions.
        Assert.InRange(
            ParityModel.RewardChange("ernie", withoutTasks, tensors =>
            {
                tensors.Remove(Tasks, out var tasks);
                tensors[positions] = tensors[positions].add(tasks![0]);
            }),
            0, 1e-5);
    }

    [Fact]
    public void A_table_of_tasks_that_the_settings_do_not_have_is_told() => Assert.Equal(
        [$"tensor '{Tasks}' is not part of the model; expected no such tensor"],
        ParityModel.Problems("ernie", config => config["use_task_id"] = false));

    [Fact]
    public void Three_tasks_are_the_default() => Assert.InRange(
        ParityModel.RewardChange("ernie", config => config.Remove("task_type_vocab_size")), 0, 1e-5);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_masked_language_model_gets_a_new_classifier_and_a_pooler_where_it_has_none(bool hasPooler)
    {
        using var model = ParityModel.OfRepository("ernie");
        using var reader = CheckpointReader.Open(model.Directory);
        using var pooler = reader.Read("ernie.pooler.dense.weight");
        CheckpointWriter.Write(model.Directory, [
            .. reader.Names.Where(name => hasPooler || !name.Contains("pooler", StringComparison.Ordinal))
                .Where(name => !name.StartsWith("classifier", StringComparison.Ordinal)).Select(name => (name, reader.Read(name))),
            ("cls.predictions.bias", zeros(97)), ("ernie.embeddings.position_ids", arange(64))]);
        using var loaded = RewardTransformer.Load(model.Directory, seed: 4);
        Assert.True(loaded.HasNewHead);
        using var found = loaded.CheckpointParameters.Single(pair => pair.Name == "ernie.pooler.dense.weight").Parameter.detach();
        Assert.Equal(hasPooler, pooler.equal(found).all().item<bool>());
    }

    [Fact]
    public void Settings_that_cannot_be_honoured_are_told() => Assert.Equal(
        [
            "'task_type_vocab_size' is 0; expected at least 1",
            "'use_task_id' is \"yes\"; expected true or false",
            "'position_embedding_type' is \"relative_key\"; expected \"absolute\"",
            "hidden_size is 32 and num_attention_heads 5; expected the first to be a multiple of the second",
            "'is_decoder' is true; expected false: an encoder that reads in one direction only is not supported",
        ],
        ParityModel.Problems("ernie", config =>
        {
            config["task_type_vocab_size"] = 0;
            config["use_task_id"] = "yes";
            config["position_embedding_type"] = "relative_key";
            config["num_attention_heads"] = 5;
            config["is_decoder"] = true;
        }));
}
