using System.Text.Json.Nodes;
using RewardModel.Checkpoints;
using RewardModel.Lists;
using RewardModel.Packing;
using RewardModel.Scoring;
using RewardModel.Tests.Parity;
using static TorchSharp.torch;

namespace RewardModel.Tests.Backbones;

public class BertTests
{
    [Theory]
    [InlineData("hidden_act", "\"gelu_new\"", 1.5e-5)]
    [InlineData("num_attention_heads", "2", 1e-2)]
    public void The_rewards_would_show_another_setting(string setting, string value, double leastChange) =>
        Assert.True(ParityModel.RewardChange("bert", config => config[setting] = JsonNode.Parse(value)) > leastChange);

    [Theory]
    [InlineData("bert.embeddings.token_type_embeddings.weight")]
    [InlineData("bert.embeddings.position_embeddings.weight")]
    public void The_rewards_would_show_another_row_of_a_table(string table) =>
        Assert.True(ParityModel.RewardChange("bert", changeWeights: tensors =>
        {
            var rows = tensors[table].size(0);
            tensors[table] = cat([tensors[table].narrow(0, 1, rows - 1), tensors[table].narrow(0, 0, 1)]);
        }) > 1e-2);

    [Fact]
    public void The_rewards_would_show_a_missing_layer() => Assert.True(ParityModel.RewardChange(
        "bert", config => config["num_hidden_layers"] = 1, ParityModel.DropLayer(1)) > 1e-2);

    [Theory]
    [InlineData("bert.pooler.dense.weight", "bert.encoder.layer.0.attention.output.dense.weight")]
    [InlineData("bert.encoder.layer.0.attention.output.LayerNorm.weight", "bert.encoder.layer.0.output.LayerNorm.weight")]
    public void The_rewards_would_show_one_weight_in_the_place_of_another(string name, string other) =>
        Assert.True(ParityModel.RewardChange("bert", changeWeights: tensors => tensors[name] = tensors[other]) > 1e-3);

    [Fact]
    public void The_answers_token_type_counts()
    {
        using var model = ParityModel.Random("bert");
        var scorer = new RewardScorer(model);
        var list = TinyModel.List(1, 5, 3);
        Assert.True(Math.Abs(scorer.Score([list])[0][0] - scorer.Score([list with { AnswerTokenType = 1 }])[0][0]) > 1e-3);
    }

    [Fact]
    public void A_token_type_that_the_model_does_not_have_is_told()
    {
        using var model = ParityModel.Random("bert");
        var error = Assert.Throws<ArgumentException>(
            () => new RewardScorer(model).Score([TinyModel.List(1, 5, 3) with { AnswerTokenType = 2 }]));
        Assert.Equal(
            "A token type is 2; this BERT has 2, from 0. Use the tokenizer that belongs to the model. (Parameter 'sequences')",
            error.Message);
    }

    [Fact]
    public void Answers_that_share_their_prompt_are_refused()
    {
        using var model = ParityModel.Random("bert");
        using var sequences = PackedSequences.Pack([TinyModel.List(1, 5, 3, 2)], sharePrompts: true);
        Assert.Equal(
            "The answers share their prompt; this BERT reads in both directions, so every answer needs its own copy of it. "
            + "Pack with sharePrompts: false. (Parameter 'sequences')",
            Assert.Throws<ArgumentException>(() => model.call(sequences)).Message);
    }

    [Fact]
    public void Layer_norms_under_their_oldest_names_and_row_numbers_give_the_same_rewards() =>
        Assert.InRange(ParityModel.RewardChange("bert", changeWeights: tensors =>
        {
            foreach (var name in tensors.Keys.Where(name => name.Contains("LayerNorm", StringComparison.Ordinal)).ToArray())
            {
                tensors.Remove(name, out var tensor);
                var older = name.EndsWith("weight", StringComparison.Ordinal) ? "gamma" : "beta";
                tensors.Add(name[..(name.LastIndexOf('.') + 1)] + older, tensor!);
            }
            tensors.Add("bert.embeddings.position_ids", arange(64));
        }), 0, 1e-5);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_masked_language_model_gets_a_new_classifier_and_a_pooler_where_it_has_none(bool hasPooler)
    {
        using var model = ParityModel.OfRepository("bert");
        using var reader = CheckpointReader.Open(model.Directory);
        using var pooler = reader.Read("bert.pooler.dense.weight");
        CheckpointWriter.Write(model.Directory, [
            .. reader.Names.Where(name => hasPooler || !name.Contains("pooler", StringComparison.Ordinal))
                .Where(name => !name.StartsWith("classifier", StringComparison.Ordinal)).Select(name => (name, reader.Read(name))),
            ("cls.predictions.bias", zeros(97)), ("cls.seq_relationship.weight", zeros(2, 32))]);
        using var loaded = RewardTransformer.Load(model.Directory, seed: 4);
        Assert.True(loaded.HasNewHead);
        Assert.Equal(hasPooler, Values(pooler).SequenceEqual(Values(loaded, "bert.pooler.dense.weight")));
        Assert.Equal(0.02, Spread(Values(loaded, "bert.pooler.dense.weight")), hasPooler ? 1 : 0.002);
        Assert.Equal(1 / Math.Sqrt(pooler.size(1) + 1), Spread(Values(loaded, "classifier.weight")), 0.06);
        Assert.Equal([0f], Values(loaded, "classifier.bias"));
    }

    [Fact]
    public void Dropout_acts_before_the_classifier_too()
    {
        var config = HuggingFaceConfig.Parse(
            """
            {"model_type": "bert", "vocab_size": 61, "hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1,
             "num_attention_heads": 1}
            """, "config.json");
        using var model = RewardTransformer.FromConfig(config, dropout: 0.5);
        var scorer = new RewardScorer(model);
        TokenizedList list = new([], [[5]], [0]);
        Assert.Equal(scorer.Score([list])[0], scorer.Score([list])[0]);
        model.train();
        using var first = ones(1, 8);
        var rewards = Enumerable.Range(0, 20).Select(_ => model.Head.call(first).item<float>());
        Assert.True(rewards.Distinct().Count() > 5);
    }

    [Fact]
    public void Settings_that_cannot_be_honoured_are_told()
    {
        var error = Assert.Throws<CheckpointException>(() => ParityModel.RewardChange("bert", config =>
        {
            config["position_embedding_type"] = "relative_key";
            config["num_attention_heads"] = 5;
            config["is_decoder"] = true;
        }));
        Assert.Equal(
            [
                "'position_embedding_type' is \"relative_key\"; expected \"absolute\"",
                "hidden_size is 32 and num_attention_heads 5; expected the first to be a multiple of the second",
                "'is_decoder' is true; expected false: an encoder that reads in one direction only is not supported",
            ],
            error.Problems);
    }

    private static double Spread(float[] values) => Math.Sqrt(values.Average(value => (double)value * value));

    private static float[] Values(RewardTransformer model, string name) =>
        Values(model.CheckpointParameters.Single(pair => pair.Name == name).Parameter.detach());

    private static float[] Values(Tensor tensor)
    {
        using var accessor = tensor.data<float>();
        return accessor.ToArray();
    }
}
