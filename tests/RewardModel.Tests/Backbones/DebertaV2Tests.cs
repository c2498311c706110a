using System.Text.Json.Nodes;
using RewardModel.Checkpoints;
using RewardModel.Scoring;
using RewardModel.Tests.Parity;
using static TorchSharp.torch;

namespace RewardModel.Tests.Backbones;

public class DebertaV2Tests
{
    [Theory]
    [InlineData("deberta_v2", "pos_att_type", "[\"c2p\"]", 1e-2)]
    [InlineData("deberta_v2", "pos_att_type", "[\"p2c\"]", 1e-2)]
    [InlineData("deberta_v2", "max_relative_positions", "40", 1e-3)]
    [InlineData("deberta_v2", "pooler_hidden_act", "\"tanh\"", 1e-2)]
    [InlineData("deberta_v2", "num_attention_heads", "2", 1e-2)]
    [InlineData("deberta_v2_v2style", "conv_act", "\"tanh\"", 1e-2)]
    public void The_rewards_would_show_another_setting(string name, string setting, string value, double leastChange) =>
        Assert.True(ParityModel.RewardChange(name, config => config[setting] = JsonNode.Parse(value)) > leastChange);

    [Fact]
    public void The_rewards_would_show_distances_without_norm() => Assert.True(ParityModel.RewardChange(
        "deberta_v2", config => config["norm_rel_ebd"] = "none",
        Without(name => name.StartsWith("deberta.encoder.LayerNorm.", StringComparison.Ordinal))) > 1e-2);

    [Fact]
    public void The_rewards_would_show_attention_without_distances() => Assert.True(ParityModel.RewardChange(
        "deberta_v2", config => config["relative_attention"] = false,
        Without(name => name.Contains("rel_embeddings", StringComparison.Ordinal))) > 1e-2);

    [Fact]
    public void The_rewards_would_show_projections_of_contents_used_for_distances() => Assert.True(ParityModel.RewardChange(
        "deberta_v2_v2style", config => config["share_att_key"] = true,
        Without(name => name.Contains(".pos_", StringComparison.Ordinal))) > 1e-2);

    [Fact]
    public void The_rewards_would_show_distances_of_the_other_sign() => Assert.True(ParityModel.RewardChange(
        "deberta_v2", changeWeights: Replace("deberta.encoder.rel_embeddings.weight", table => Reversed(table, 0))) > 1e-2);

    [Fact]
    public void The_rewards_would_show_distances_off_by_one() => Assert.True(ParityModel.RewardChange(
        "deberta_v2",
        changeWeights: Replace("deberta.encoder.rel_embeddings.weight", table => cat([table.narrow(0, 1, 15), table.narrow(0, 0, 1)])))
        > 1e-2);

    [Fact]
    public void The_rewards_would_show_a_missing_convolution() => Assert.True(ParityModel.RewardChange(
        "deberta_v2_v2style", config => config["conv_kernel_size"] = 0,
        Without(name => name.StartsWith("deberta.encoder.conv.", StringComparison.Ordinal))) > 1e-2);

    [Fact]
    public void The_rewards_would_show_a_convolution_in_the_other_direction() => Assert.True(ParityModel.RewardChange(
        "deberta_v2_v2style", changeWeights: Replace("deberta.encoder.conv.conv.weight", weight => Reversed(weight, 2))) > 1e-2);

    [Fact]
    public void The_rewards_would_show_one_distance_more() => Assert.True(ParityModel.RewardChange(
        "deberta_v2_unbucketed", config => config["max_relative_positions"] = 6,
        Replace("deberta.encoder.rel_embeddings.weight", table => cat([table.narrow(0, 8, 1), table, table.narrow(0, 1, 1)]))) > 1e-2);

    [Fact]
    public void The_rewards_would_show_a_missing_layer() => Assert.True(ParityModel.RewardChange(
        "deberta_v2", config => config["num_hidden_layers"] = 1, ParityModel.DropLayer(1)) > 1e-2);

    [Theory]
    [InlineData("deberta.embeddings.position_embeddings.weight")]
    [InlineData("deberta.embeddings.token_type_embeddings.weight")]
    public void The_rewards_would_show_another_row_of_a_table(string table) => Assert.True(ParityModel.RewardChange(
        "deberta_v2_absolute", changeWeights: Replace(table, rows => Reversed(rows, 0))) > 1e-2);

    [Fact]
    public void Token_types_do_not_count_without_a_table_of_them()
    {
        using var model = ParityModel.Random("deberta_v2");
        var scorer = new RewardScorer(model);
        var list = TinyModel.List(1, 5, 3);
        Assert.Equal(scorer.Score([list])[0][0], scorer.Score([list with { AnswerTokenType = 1 }])[0][0]);
    }

    [Fact]
    public void Vocabulary_heads_and_positions_that_are_not_read_are_left_out() => Assert.InRange(
        ParityModel.RewardChange("deberta_v2", changeWeights: tensors =>
        {
            tensors.Add("deberta.embeddings.position_embeddings.weight", ones(64, 32));
            tensors.Add("deberta.embeddings.position_ids", arange(64));
            tensors.Add("lm_predictions.lm_head.dense.weight", ones(32, 32));
            tensors.Add("mask_predictions.classifier.bias", ones(1));
            tensors.Add("cls.predictions.bias", ones(97));
        }), 0, 1e-5);

    [Fact]
    public void Settings_that_cannot_be_honoured_are_told()
    {
        var error = Assert.Throws<CheckpointException>(() => ParityModel.RewardChange("deberta_v2", config =>
        {
            config["pos_att_type"] = "p2c|p2p|c2c";
            config["norm_rel_ebd"] = "batch_norm";
            config["position_buckets"] = 126;
            config["conv_kernel_size"] = 4;
            config["conv_groups"] = 2;
            config["pooler_hidden_size"] = 16;
            config["attention_head_size"] = 4;
            config["z_steps"] = 2;
        }));
        Assert.Equal(
            [
                "'norm_rel_ebd' is \"batch_norm\"; expected one of \"none\", \"layer_norm\"",
                "position_buckets is 126 with distances up to 64; expected at least 2, and half of them to be less than that by 2 or more",
                "'conv_groups' is 2; expected 1",
                "pos_att_type names 'p2p, c2c'; expected c2p and p2c only",
                "conv_kernel_size is 4; expected an odd number, or 0 for no convolution",
                "pooler_hidden_size is 16; expected it to be hidden_size, 32",
                "attention_head_size is 4; expected hidden_size / num_attention_heads",
                "'z_steps' is 2; expected no such setting: this library does not know what it does",
            ],
            error.Problems);
    }

    private static Tensor Reversed(Tensor x, int dimension) =>
        x.index_select(dimension, tensor(Enumerable.Range(0, (int)x.size(dimension)).Select(i => x.size(dimension) - 1 - i).ToArray()));

    private static Action<Dictionary<string, Tensor>> Without(Func<string, bool> isMeant) => tensors =>
    {
        foreach (var name in tensors.Keys.Where(isMeant).ToArray())
            tensors.Remove(name);
    };

    private static Action<Dictionary<string, Tensor>> Replace(string name, Func<Tensor, Tensor> change) =>
        tensors => tensors[name] = change(tensors[name]);
}
