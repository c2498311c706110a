using System.Text.Json.Nodes;
using RewardModel.Backbones;
using RewardModel.Checkpoints;
using RewardModel.Scoring;
using RewardModel.Tests.Parity;
using static TorchSharp.torch;

namespace RewardModel.Tests.Scoring;

[Collection(nameof(RunsAlone))]
public class RewardTransformerTests
{
    [Theory]
    [InlineData("gpt2", "transformer.")]
    [InlineData("llama", "model.")]
    public void A_checkpoint_of_the_backbone_alone_loads_and_gets_a_new_head(string name, string prefix)
    {
        using var model = ParityModel.OfRepository(name);
        using (var reader = CheckpointReader.Open(model.Directory))
            CheckpointWriter.Write(model.Directory, reader.Names.Where(tensor => tensor != "score.weight")
                .Select(tensor => (tensor[prefix.Length..], reader.Read(tensor))).ToArray());
        using var bare = RewardTransformer.Load(model.Directory, seed: 4);
        using var again = RewardTransformer.Load(model.Directory, seed: 4);
        using var other = RewardTransformer.Load(model.Directory, seed: 5);
        Assert.True(bare.HasNewHead);
        Assert.Equal(Head(bare), Head(again));
        Assert.NotEqual(Head(bare), Head(other));
    }

    [Theory]
    [InlineData("llama", true)]
    [InlineData("bert", false)]
    public void A_model_says_what_it_takes(string architecture, bool sharesPrompts)
    {
        using var parity = ParityModel.OfRepository(architecture);
        using var model = RewardTransformer.Load(parity.Directory);
        Assert.Equal(architecture, model.Architecture);
        Assert.Contains(architecture, RewardTransformer.Architectures);
        Assert.Equal(sharesPrompts, model.SharesPrompts);
        Assert.Equal((int)model.Config.Json["vocab_size"]!, model.VocabularySize);
        Assert.Equal((int)model.Config.Json["max_position_embeddings"]!, model.MaxPositions);
        Assert.Equal((int)model.Config.Json["hidden_size"]!, model.HiddenSize);
    }

    [Fact]
    public void A_vocabulary_head_and_old_buffers_are_left_out()
    {
        using var model = ParityModel.OfRepository("gpt2");
        using (var reader = CheckpointReader.Open(model.Directory))
            CheckpointWriter.Write(model.Directory, [
                .. reader.Names.Select(name => (name, reader.Read(name))),
                ("lm_head.weight", zeros(97, 32)), ("transformer.h.0.attn.bias", ones(1, 1, 8, 8)),
                ("transformer.h.1.attn.masked_bias", zeros(1))]);
        using var loaded = model.Load();
        Assert.False(loaded.HasNewHead);
    }

    [Fact]
    public void All_tensors_that_do_not_fit_are_told_at_once()
    {
        using var model = ParityModel.OfRepository("llama");
        using (var reader = CheckpointReader.Open(model.Directory))
            CheckpointWriter.Write(model.Directory, [
                .. reader.Names.Where(name => name is not "model.norm.weight" and not "score.weight")
                    .Select(name => (name, reader.Read(name))),
                ("score.weight", zeros(1, 31)), ("model.layers.7.extra", zeros(3))]);
        var error = Assert.Throws<CheckpointException>(model.Load);
        Assert.Equal(
            [
                "tensor 'model.norm.weight' is missing; expected it with shape [32]",
                "tensor 'score.weight' has shape [1, 31]; expected [1, 32]",
                "tensor 'model.layers.7.extra' is not part of the model; expected no such tensor",
            ],
            error.Problems);
        Assert.Equal("Expected the tensors of LlamaForSequenceClassification, as its config.json describes it.", error.Advice);
    }

    [Fact]
    public void Another_architecture_lists_the_known_ones()
    {
        var config = HuggingFaceConfig.Parse("""{"model_type": "mamba"}""", "config.json");
        var error = Assert.Throws<CheckpointException>(() => RewardTransformer.FromConfig(config));
        Assert.Equal([$"the model_type is mamba; expected one of: {string.Join(", ", Backbone.ModelTypes)}"], error.Problems);
    }

    [Fact]
    public void All_wrong_settings_are_told_at_once()
    {
        var settings = TinyModel.Config("llama");
        settings.Remove("vocab_size");
        settings["num_key_value_heads"] = 3;
        settings["rope_scaling"] = new JsonObject { ["rope_type"] = "proportional", ["factor"] = 4.0 };
        settings["clip_qkv"] = 8.0;
        var error = Assert.Throws<CheckpointException>(
            () => RewardTransformer.FromConfig(HuggingFaceConfig.Parse(settings.ToJsonString(), "config.json")));
        Assert.Equal(
            [
                "'vocab_size' is missing; expected a 32-bit whole number",
                "'rope_scaling.rope_type' is \"proportional\"; "
                    + "expected one of \"default\", \"dynamic\", \"linear\", \"llama3\", \"longrope\", \"yarn\"",
                "num_attention_heads is 4 and num_key_value_heads 3; expected the first to be a multiple of the second",
                "'clip_qkv' is 8; expected no such setting: this architecture does not clip queries, keys and values",
                "'rope_scaling.factor' is 4; expected no such setting: this library does not know what it does",
            ],
            error.Problems);
    }

    [Fact]
    public void A_rotary_scaling_under_its_older_key_is_checked_by_name()
    {
        var settings = TinyModel.Config("llama");
        settings["rope_scaling"] = new JsonObject { ["type"] = "mrope" };
        var config = HuggingFaceConfig.Parse(settings.ToJsonString(), "config.json");
        Assert.Equal(
            ["'rope_scaling.type' is \"mrope\"; expected one of \"default\", \"dynamic\", \"linear\", \"llama3\", \"longrope\", \"yarn\""],
            Assert.Throws<CheckpointException>(() => RewardTransformer.FromConfig(config)).Problems);
    }

    [Theory]
    [InlineData(-0.1, "-0.1")]
    [InlineData(1.0, "1")]
    public void A_dropout_rate_out_of_range_is_refused(double rate, string shown) => Assert.Equal(
        $"The dropout rate is {shown}; expected a number from 0 to below 1. (Parameter 'dropout')",
        Assert.Throws<ArgumentException>(() => TinyModel.Create("llama", rate)).Message);

    [Fact]
    public void A_new_head_is_drawn_apart_from_the_backbone()
    {
        using var model = TinyModel.Create("llama");
        var (head, row) = (Head(model), Values(model, "model.embed_tokens.weight")[..24]);
        var cosine = head.Zip(row).Sum(pair => (double)pair.First * pair.Second)
            / Math.Sqrt(head.Sum(value => (double)value * value) * row.Sum(value => (double)value * value));
        Assert.InRange(Math.Abs(cosine), 0, 0.9);
    }

    [Fact]
    public void Too_long_sequences_and_unknown_ids_are_told()
    {
        using var model = TinyModel.Create("gpt2");
        var scorer = new RewardScorer(model);
        Assert.Equal(
            "A sequence has 97 tokens; this GPT-2 takes at most 96. Truncate the lists to that length. (Parameter 'sequences')",
            Assert.Throws<ArgumentException>(() => scorer.Score([TinyModel.List(1, 90, 7)])).Message);
        Assert.Equal(
            "A token id is 61; the vocabulary of this GPT-2 has 61 ids, from 0. "
            + "Use the tokenizer that belongs to the model. (Parameter 'sequences')",
            Assert.Throws<ArgumentException>(() => scorer.Score([new([1], [[61]], [0])])).Message);
    }

    [Theory]
    [InlineData("gpt2", "transformer.h.0.mlp.c_fc.weight", 0.2, 0.03)]
    [InlineData("gpt2", "transformer.h.1.mlp.c_proj.weight", 0.1, 0.02)]
    [InlineData("gpt2", "transformer.wte.weight", 0.2, 0.03)]
    [InlineData("llama", "model.layers.1.self_attn.q_proj.weight", 0.2, 0.03)]
    [InlineData("llama", "model.layers.1.mlp.down_proj.weight", 0.2, 0.03)]
    public void New_weights_spread_as_the_reference_draws_them(string architecture, string name, double expected, double tolerance)
    {
        using var model = TinyModel.Create(architecture);
        var weights = Values(model, name);
        Assert.Equal(expected, Math.Sqrt(weights.Average(value => (double)value * value)), tolerance);
        Assert.Equal(0, weights.Average(), tolerance);
    }

    [Theory]
    [InlineData("gpt2", "transformer.ln_f.weight", 1f)]
    [InlineData("gpt2", "transformer.ln_f.bias", 0f)]
    [InlineData("gpt2", "transformer.h.0.attn.c_attn.bias", 0f)]
    [InlineData("llama", "model.norm.weight", 1f)]
    public void New_norms_are_one_and_biases_zero(string architecture, string name, float expected)
    {
        using var model = TinyModel.Create(architecture);
        Assert.All(Values(model, name), value => Assert.Equal(expected, value));
    }

    private static float[] Head(RewardTransformer model) => Values(model, "score.weight");

    private static float[] Values(RewardTransformer model, string name)
    {
        using var accessor = model.CheckpointParameters.Single(pair => pair.Name == name).Parameter.detach().data<float>();
        return accessor.ToArray();
    }
}
