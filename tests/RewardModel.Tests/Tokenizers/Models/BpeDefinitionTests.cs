using RewardModel.Tokenizers.Models;

namespace RewardModel.Tests.Tokenizers.Models;

public class BpeDefinitionTests
{
    [Theory]
    [InlineData("""["a b", "ab c"]""")]
    [InlineData("""[["a", "b"], ["ab", "c"]]""")]
    public void Merges_are_strings_or_pairs(string merges)
    {
        var (component, problems) = Json.Component(
            $$"""{"type": "BPE", "vocab": {"a": 0, "b": 1, "c": 2, "ab": 3, "abc": 4}, "merges": {{merges}}}""");
        Assert.Equal(["a b", "ab c"], BpeDefinition.Read(component).Merges);
        Assert.Empty(problems);
    }

    [Fact]
    public void A_model_with_merges_and_without_a_type_is_byte_pair_encoding()
    {
        var (component, problems) = Json.Component("""{"vocab": {"a": 0}, "merges": []}""");
        var definition = Assert.IsType<BpeDefinition>(ModelReader.Read(component));
        Assert.Equal(
            (null, false, false, false, null, null),
            (definition.UnknownToken, definition.FusesUnknown, definition.HasByteFallback, definition.IgnoresMergesOfKnownWords,
                definition.ContinuingPrefix, definition.EndSuffix));
        Assert.Empty(problems);
    }

    [Fact]
    public void All_problems_are_found_at_once()
    {
        var (component, problems) = Json.Component(
            """
            {"type": "BPE", "dropout": 0.1, "continuing_subword_prefix": "##", "end_of_word_suffix": "</w>", "speed": 3,
             "unk_token": "<unk>", "byte_fallback": true,
             "vocab": {"a": 0, "##b": 1, "##a": 6, "ab": 2, "c": 2, "d": -1, "e": "x", "f": 1.5, "g": null, "<0x0A>": 3, "<0x0A>a": 4},
             "merges": ["a ##b", "a ##b", "a z", "a", ["a", "b c"], ["a"], [1, 2], "a b c", "<0x0A> ##a"]}
            """);
        ModelReader.Read(component);
        Assert.Equal(
            [
                "file.json: 'dropout' is 0.1, which is not supported; expected null",
                "file.json: the ids of 4 tokens are not integers from 0 on: 'd', 'e', 'f', ...",
                "file.json: 1 ids belong to several tokens: 2",
                "file.json: 5 merges are not two tokens without spaces: \"a\", [\"a\", \"b c\"], [\"a\"], ...",
                "file.json: 1 merges have tokens, or make tokens, that 'vocab' lacks: \"a z\"",
                "file.json: 1 merges are listed again: \"a ##b\"",
                "file.json: 'unk_token' is '<unk>', which 'vocab' lacks",
                "file.json: 'byte_fallback' together with 'continuing_subword_prefix' or 'end_of_word_suffix' is not supported",
                "file.json: 'byte_fallback' is true, but 'vocab' lacks 255 of the 256 byte tokens: <0x00>, <0x01>, <0x02>, ...",
                "file.json: 1 merges have byte tokens, which is not supported: '<0x0A> ##a'",
                "file.json: the option 'speed' is not supported",
            ],
            problems);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("{}")]
    public void A_model_without_vocabulary_and_merges_is_a_problem(string vocabulary)
    {
        var (component, problems) = Json.Component($$"""{"type": "BPE", "vocab": {{vocabulary}}}""");
        BpeDefinition.Read(component);
        Assert.Equal(
            ["file.json: 'vocab' is not an object of tokens and ids with at least one token", "file.json: 'merges' is not a list"],
            problems);
    }
}
