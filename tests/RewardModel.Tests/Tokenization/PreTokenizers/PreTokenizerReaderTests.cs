using Microsoft.ML.Tokenizers;
using RewardModel.Tokenization.PreTokenizers;

namespace RewardModel.Tests.Tokenization.PreTokenizers;

public class PreTokenizerReaderTests
{
    [Theory]
    [InlineData("I'm 12  words, don't!\n", "I|'m| 12| | words|,| don|'t|!|\n")]
    [InlineData(" \U0001D400b\U0001D7CE\U0001F600", " \U0001D400b|\U0001D7CE|\U0001F600")] // letters and a digit outside of the basic plane
    public void Byte_level_cuts_by_the_expression_of_GPT2(string text, string expected)
    {
        var (component, problems) = Json.Component("""{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true}""");
        var result = PreTokenizerReader.Read(component);
        Assert.Equal(expected, Words(result.Splitter!, text));
        Assert.Equal((true, false), (result.IsByteLevel, result.AddsPrefixSpace));
        Assert.Empty(problems);
    }

    [Fact]
    public void Byte_level_without_its_expression_leaves_the_text_whole()
    {
        var (component, _) = Json.Component("""{"type": "ByteLevel", "add_prefix_space": true, "use_regex": false}""");
        Assert.Equal(new PreTokenization(null, IsByteLevel: true, AddsPrefixSpace: true), PreTokenizerReader.Read(component));
    }

    [Theory]
    [InlineData("""{"Regex": "\\d"}""", "Isolated", false, "a|1|2|b")]
    [InlineData("""{"Regex": "\\d"}""", "Isolated", true, "a|1|2|b")]
    [InlineData("""{"Regex": "\\d"}""", "Removed", false, "a|b")]
    [InlineData("""{"Regex": "\\d"}""", "Removed", true, "1|2")]
    [InlineData("""{"String": "12"}""", "Isolated", false, "a|12|b")]
    [InlineData("""{"String": "."}""", "Isolated", false, "a12b")]
    public void Split_keeps_matches_and_gaps_as_its_behavior_says(string pattern, string behavior, bool invert, string expected)
    {
        var (component, problems) = Json.Component(
            $$"""{"type": "Split", "pattern": {{pattern}}, "behavior": "{{behavior}}", "invert": {{(invert ? "true" : "false")}} }""");
        Assert.Equal(expected, Words(PreTokenizerReader.Read(component).Splitter!, "a12b"));
        Assert.Empty(problems);
    }

    [Fact]
    public void A_sequence_cuts_the_words_of_the_one_before()
    {
        var (component, problems) = Json.Component(
            """
            {"type": "Sequence", "pretokenizers": [
              {"type": "Split", "pattern": {"String": " "}, "behavior": "Removed", "invert": false},
              {"type": "Split", "pattern": {"Regex": "^.|x(?!.)"}, "behavior": "Isolated", "invert": false},
              {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}]}
            """);
        var result = PreTokenizerReader.Read(component);
        Assert.Equal("a|b|x|c|d|x", Words(result.Splitter!, "abx cdx"));
        Assert.True(result.IsByteLevel);
        Assert.Empty(problems);
    }

    [Theory]
    [InlineData("""{"type": "Metaspace"}""", "the type 'Metaspace' is not supported; supported are ByteLevel, Sequence, Split")]
    [InlineData(
        """{"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithNext"}""",
        "the behavior 'MergedWithNext' is not supported; supported are Isolated, Removed")]
    [InlineData("""{"type": "Split", "behavior": "Isolated"}""", "'pattern' has neither a String nor a Regex")]
    [InlineData(
        """{"type": "Split", "pattern": {"Regex": "[[:alpha:]]"}, "behavior": "Isolated"}""",
        "the expression [[:alpha:]] uses '[:', which is not supported")]
    [InlineData(
        """{"type": "Split", "pattern": {"Regex": "a++"}, "behavior": "Isolated"}""",
        "the expression is not supported: Invalid pattern 'a++' at offset 3. Nested quantifier '+'.")]
    [InlineData("""{"type": "ByteLevel", "use_regex": 1}""", "'use_regex' is 1, expected true or false")]
    [InlineData(
        """{"type": "Sequence", "pretokenizers": [{"type": "ByteLevel", "add_prefix_space": false}, {"type": "Sequence"}]}""",
        "pretokenizers[0]: ByteLevel is not supported before another pre-tokenizer; it must be the last one")]
    [InlineData(
        """{"type": "Sequence", "pretokenizers": [{"type": "Sequence"}, {"type": "ByteLevel", "add_prefix_space": true}]}""",
        "pretokenizers[1]: add_prefix_space is not supported after another pre-tokenizer")]
    public void What_can_not_be_used_is_a_problem(string json, string expected)
    {
        var (component, problems) = Json.Component(json);
        PreTokenizerReader.Read(component);
        Assert.Equal([$"file.json: {expected}"], problems);
    }

    private static string Words(PreTokenizer preTokenizer, string text) =>
        string.Join('|', preTokenizer.PreTokenize(text).Select(word => text.Substring(word.Item1, word.Item2)));
}
