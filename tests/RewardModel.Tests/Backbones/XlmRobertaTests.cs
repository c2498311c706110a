using RewardModel.Checkpoints;
using RewardModel.Scoring;
using RewardModel.Tests.Parity;
using static TorchSharp.torch;

namespace RewardModel.Tests.Backbones;

/// <summary>What is computed is RoBERTa's, whose tests say what its rewards would show.</summary>
public class XlmRobertaTests
{
    private const string PositionTable = "roberta.embeddings.position_embeddings.weight";

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
}
