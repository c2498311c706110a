using System.Text.Json.Nodes;
using RewardModel.Checkpoints;
using RewardModel.Lists;
using RewardModel.Scoring;
using RewardModel.Tests.Parity;
using static TorchSharp.torch;

namespace RewardModel.Tests.Backbones;

public class XlmRobertaTests
{
    private const string PositionTable = "roberta.embeddings.position_embeddings.weight";

    [Theory]
    [InlineData("layer_norm_eps", "1e-3", 1e-4)]
    [InlineData("num_attention_heads", "2", 1e-2)]
    [InlineData("pad_token_id", "2", 1e-2)]
    public void The_rewards_would_show_another_setting(string setting, string value, double leastChange) =>
        Assert.True(ParityModel.RewardChange("xlm_roberta", config => config[setting] = JsonNode.Parse(value)) > leastChange);

    [Fact]
    public void The_rewards_would_show_a_missing_layer() => Assert.True(ParityModel.RewardChange(
        "xlm_roberta", config => config["num_hidden_layers"] = 1, ParityModel.DropLayer(1)) > 1e-2);

    [Fact]
    public void The_rewards_would_show_another_first_layer_of_the_head() => Assert.True(ParityModel.RewardChange(
        "xlm_roberta", changeWeights: tensors =>
            tensors["classifier.dense.weight"] = tensors["roberta.encoder.layer.0.attention.output.dense.weight"]) > 1e-2);

    [Fact]
    public void A_token_with_the_padding_id_has_that_row_and_is_not_counted()
    {
        TokenizedList[] lists = [new([], [[5, 1, 7, 1, 1, 9]], [0]), new([], [[8, 6], [1, 6]], [1, 0])];
        // With a padding id that does not occur, rows are counted from 50 on: there the table holds the rows that the tokens had.
        int[][] rows = [[2, 1, 3, 1, 1, 4], [2, 3], [1, 2]];
        float[] expected = Scores(lists, paddingId: 1, table => table);
        float[] found =
        [
            .. rows.Select((ofList, i) => Scores(lists, paddingId: 49, table => cat([
                table.narrow(0, 0, 50), .. ofList.Select(row => table.narrow(0, row, 1)), table.narrow(0, 50, 16 - ofList.Length)]))[i]),
        ];
        Numbers.AssertEqualButForRounding(expected, found, Numbers.UnitsOfModels);
    }

    [Fact]
    public void Sequences_are_shorter_than_the_table_by_the_rows_up_to_the_padding_id()
    {
        using var model = ParityModel.OfRepository("xlm_roberta");
        using var loaded = model.Load();
        Assert.Equal(64, loaded.Backbone.MaxPositions);
        var scorer = new RewardScorer(loaded);
        scorer.Score([new([], [[.. Enumerable.Repeat(5, 64)]], [0])]);
        Assert.Equal(
            "A sequence has 65 tokens; this XLM-RoBERTa takes at most 64. Truncate the lists to that length. (Parameter 'sequences')",
            Assert.Throws<ArgumentException>(() => scorer.Score([new([], [[.. Enumerable.Repeat(5, 65)]], [0])])).Message);
    }

    [Fact]
    public void A_pooler_and_row_numbers_are_left_out() => Assert.InRange(
        ParityModel.RewardChange("xlm_roberta", changeWeights: tensors =>
        {
            tensors.Add("roberta.pooler.dense.weight", ones(32, 32));
            tensors.Add("roberta.pooler.dense.bias", ones(32));
            tensors.Add("roberta.embeddings.position_ids", arange(66));
        }), 0, 1e-5);

    [Fact]
    public void A_language_model_gets_a_new_head()
    {
        using var model = ParityModel.OfRepository("xlm_roberta");
        using var reader = CheckpointReader.Open(model.Directory);
        CheckpointWriter.Write(model.Directory, [
            .. reader.Names.Where(name => !name.StartsWith("classifier", StringComparison.Ordinal)).Select(name => (name, reader.Read(name))),
            ("lm_head.bias", zeros(97)), ("lm_head.dense.weight", zeros(32, 32)), ("lm_head.layer_norm.weight", ones(32))]);
        using var loaded = RewardTransformer.Load(model.Directory, seed: 4);
        Assert.True(loaded.HasNewHead);
        using var kept = loaded.CheckpointParameters.Single(pair => pair.Name == PositionTable).Parameter.detach();
        using var stored = reader.Read(PositionTable);
        Assert.True(stored.equal(kept).all().item<bool>());
    }

    [Fact]
    public void Settings_that_cannot_be_honoured_are_told()
    {
        var error = Assert.Throws<CheckpointException>(() => ParityModel.RewardChange("xlm_roberta", config => config.Remove("pad_token_id")));
        Assert.Equal(["'pad_token_id' is missing; expected a 32-bit whole number"], error.Problems);
        error = Assert.Throws<CheckpointException>(() => ParityModel.RewardChange("xlm_roberta", config => config["pad_token_id"] = -1));
        Assert.Equal(["pad_token_id is -1; expected a number from 0, as positions are counted from it"], error.Problems);
    }

    private static float[] Scores(TokenizedList[] lists, int paddingId, Func<Tensor, Tensor> changeTable)
    {
        using var scope = NewDisposeScope();
        using var model = ParityModel.OfRepository("xlm_roberta", change: config => config["pad_token_id"] = paddingId);
        var tensors = new Dictionary<string, Tensor>();
        using (var reader = CheckpointReader.Open(model.Directory))
            foreach (var name in reader.Names)
                tensors.Add(name, name == PositionTable ? changeTable(reader.Read(name)) : reader.Read(name));
        CheckpointWriter.Write(model.Directory, [.. tensors.Select(pair => (pair.Key, pair.Value))]);
        using var transformer = model.Load();
        return [.. new RewardScorer(transformer).Score(lists).SelectMany(row => row)];
    }
}
