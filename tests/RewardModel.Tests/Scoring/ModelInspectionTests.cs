using RewardModel.Checkpoints;
using RewardModel.Scoring;
using RewardModel.Tests.Checkpoints;
using RewardModel.Tokenizers;
using static TorchSharp.torch;

namespace RewardModel.Tests.Scoring;

[Collection(nameof(RunsAlone))]
public sealed class ModelInspectionTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public void A_reward_model_is_described()
    {
        using (var model = new ScoringModel(TinyModel.Create("llama"), ScoringModelTests.Tokenizer(directory), maxLength: 12))
            model.Save(directory["model"], ScalarType.BFloat16);
        var inspection = ModelInspection.Of(directory["model"], promptTokens: 3, answerTokens: 5, answers: 2);
        Assert.Equal(("llama", "LlamaForSequenceClassification"), (inspection.Architecture, inspection.ModelClass));
        // D = 24, 2 of 4 heads have keys, inner width 40, 2 layers.
        Assert.Equal(new ParameterCounts(61 * 24, 24 + 2 * (2 * 24 + 24 * (24 + 12 + 12 + 24) + 3 * 24 * 40), 24), inspection.Parameters);
        Assert.Equal(10824, inspection.Parameters!.Total);
        Assert.Equal((61, 96), (inspection.VocabularySize, inspection.MaxPositions));
        Assert.Equal(["BF16"], inspection.WeightTypes!);
        Assert.Equal(2 * 10824, inspection.WeightBytes);
        Assert.Equal("score.weight", inspection.HeadTensor);
        Assert.Empty(inspection.DrawnParameters!);
        Assert.Equal(("BPE", 27), (inspection.TokenizerKind, inspection.TokenizerVocabularySize));
        Assert.Equal(new ScoringRule(new SpecialTokenRule([], [], [26]), 12) { Encoding = TextEncoding.Joint }, inspection.Rule);
        Assert.Equal(new ListSize(3, 5, 2), inspection.List);
        Assert.Equal((4 * 10824, 4 * 10824, 8 * 10824),
            (inspection.Memory!.Weights, inspection.Memory.Gradients, inspection.Memory.Moments));
        Assert.Empty(inspection.Problems);
    }

    [Fact]
    public void A_tokenizer_without_tokenizer_json_is_described()
    {
        File.WriteAllText(directory["vocab.txt"], "[UNK]\n[CLS]\n[SEP]\n[PAD]\n[MASK]\na\n");
        var inspection = ModelInspection.Of(directory.Path);
        Assert.Equal(("WordPiece", 6), (inspection.TokenizerKind, inspection.TokenizerVocabularySize));
    }

    [Fact]
    public void Of_a_language_model_the_head_is_to_be_drawn()
    {
        using (var model = new ScoringModel(TinyModel.Create("gpt2")))
            model.Save(directory.Path);
        using (var reader = CheckpointReader.Open(directory.Path))
            CheckpointWriter.Write(
                directory.Path,
                reader.Names.Where(name => name != "score.weight").Select(name => (name, reader.Read(name))).ToArray());
        var inspection = ModelInspection.Of(directory.Path);
        Assert.Null(inspection.HeadTensor);
        Assert.Null(inspection.Rule);
        Assert.Equal(["score.weight"], inspection.DrawnParameters!);
        Assert.Equal(new ListSize(48, 48, 4), inspection.List);
        Assert.Empty(inspection.Problems);
    }

    [Fact]
    public void Of_another_trainer_s_model_the_normalizer_is_that_of_its_head()
    {
        using (var model = new ScoringModel(TinyModel.Create("llama")))
            model.Save(directory.Path);
        File.Delete(directory["reward_model.json"]);
        using (var bias = tensor([0.5f]))
        using (var reader = CheckpointReader.Open(directory.Path))
            CheckpointWriter.Write(directory.Path, [
                .. reader.Names.Select(name => (name.Replace("score", "v_head", StringComparison.Ordinal), reader.Read(name))),
                ("v_head.bias", bias)]);
        var inspection = ModelInspection.Of(directory.Path);
        Assert.Equal("v_head.weight", inspection.HeadTensor);
        Assert.Equal(new RewardNormalizer(-0.5, 1), inspection.Rule!.Normalizer);
    }

    [Fact]
    public void All_that_prevents_its_use_is_listed()
    {
        var settings = TinyModel.Config("llama");
        settings["intermediate_size"] = "wide";
        settings["qk_clip"] = 3;
        File.WriteAllText(directory["config.json"], settings.ToJsonString());
        File.WriteAllBytes(directory["model.safetensors"], [1, 2]);
        File.WriteAllText(directory["tokenizer.json"], "[]");
        Assert.Equal(
            [
                "'intermediate_size' is \"wide\"; expected a 32-bit whole number",
                "'qk_clip' is 3; expected no such setting: this library does not know what it does",
                "'model.safetensors': the file has 2 bytes; expected at least the 8 of the header's length",
                "tokenizer.json: the file holds a value of kind Array, expected an object",
            ],
            ModelInspection.Of(directory.Path).Problems);
    }

    [Fact]
    public void Parts_that_do_not_go_together_are_a_problem()
    {
        using (var model = new ScoringModel(TinyModel.Create("llama")))
            model.Save(directory.Path);
        new ScoringRule(SpecialTokenRule.None, 97).Write(directory.Path);
        Assert.Equal(
            ["The maximum length is 97; this Llama takes at most 96 tokens"], ModelInspection.Of(directory.Path).Problems);
    }

    [Fact]
    public void A_list_that_is_too_long_is_told()
    {
        using (var model = new ScoringModel(TinyModel.Create("llama")))
            model.Save(directory.Path);
        Assert.Equal(
            "The list has 2 answers of 90 tokens and a prompt of 7; expected at least one answer of one token, "
            + "and at most 96 tokens of prompt and answer together.",
            Assert.Throws<ArgumentException>(() => ModelInspection.Of(directory.Path, 7, 90, 2)).Message);
    }

    [Fact]
    public void No_weights_are_read()
    {
        var (bytes, _) = SparseCheckpoint.Write(directory.Path, SafetensorsType.F32, vocabularySize: 500_000, width: 4096);
        var measured = ChildProgram.Measure("inspect", directory.Path);
        Assert.True(bytes > 8_000_000_000);
        Assert.InRange(measured[0], 0, 40_000_000);
        Assert.Equal(0, measured[1]);
    }
}
