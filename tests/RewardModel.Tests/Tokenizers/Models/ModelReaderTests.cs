using RewardModel.Tokenizers.Models;

namespace RewardModel.Tests.Tokenizers.Models;

public class ModelReaderTests
{
    [Theory]
    [InlineData("""{"vocab": {"[UNK]": 0}, "unk_token": "[UNK]", "max_input_chars_per_word": 100}""", typeof(WordPieceDefinition))]
    [InlineData("""{"vocab": [["a", -1.5]], "unk_id": 0}""", typeof(UnigramDefinition))]
    [InlineData("""{"type": "WordLevel", "vocab": {"[UNK]": 0}, "unk_token": "[UNK]"}""", typeof(WordLevelDefinition))]
    public void A_model_is_of_its_type_or_of_the_one_its_options_show(string json, Type expected)
    {
        var (component, problems) = Json.Component(json);
        Assert.IsType(expected, ModelReader.Read(component));
        Assert.Empty(problems);
    }

    [Theory]
    [InlineData(
        """{"type": "Neural", "vocab": {}}""", "the type 'Neural' is not supported; supported are BPE, Unigram, WordLevel, WordPiece")]
    [InlineData("""{"vocab": {}}""", "the type '' is not supported; supported are BPE, Unigram, WordLevel, WordPiece")]
    [InlineData(
        """{"type": "WordPiece", "vocab": {"a": 0}, "unk_token": "[UNK]"}""", "'unk_token' is '[UNK]', which 'vocab' lacks")]
    [InlineData(
        """{"type": "WordPiece", "vocab": {"a": 0}, "unk_token": "a", "max_input_chars_per_word": -1}""",
        "'max_input_chars_per_word' is -1, expected an integer from 0 on")]
    [InlineData("""{"type": "WordLevel", "vocab": {"a": 0}}""", "'unk_token' is missing, expected a string")]
    [InlineData("""{"type": "Unigram", "vocab": []}""", "'vocab' is not a list of pieces and scores with at least one piece")]
    [InlineData("""{"type": "Unigram", "vocab": [["a", 0], ["b"]]}""", "1 pieces of 'vocab' are not a string and a number: [\"b\"]")]
    [InlineData("""{"type": "Unigram", "vocab": [["a", 0]], "unk_id": 1}""", "'unk_id' is 1, but 'vocab' has 1 pieces")]
    [InlineData("""{"type": "Unigram", "vocab": [["a", 0]], "alpha": 0.1}""", "the option 'alpha' is not supported")]
    public void What_can_not_be_used_is_a_problem(string json, string expected)
    {
        var (component, problems) = Json.Component(json);
        ModelReader.Read(component);
        Assert.Equal([$"file.json: {expected}"], problems);
    }
}
