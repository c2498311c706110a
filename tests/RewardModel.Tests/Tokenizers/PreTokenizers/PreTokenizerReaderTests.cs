using RewardModel.Tokenizers.PreTokenizers;

namespace RewardModel.Tests.Tokenizers.PreTokenizers;

public class PreTokenizerReaderTests
{
    [Theory]
    [InlineData("I'm 12  words, don't!\n", "I|'m| 12| | words|,| don|'t|!|\n")]
    [InlineData(" \U0001D400b\U0001D7CE\U0001F600", " \U0001D400b|\U0001D7CE|\U0001F600")] // letters and a digit outside of the basic plane
    public void Byte_level_cuts_by_the_expression_of_GPT2(string text, string expected)
    {
        var (component, problems) = Json.Component("""{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true}""");
        var result = PreTokenizerReader.Read(component);
        Assert.Equal(expected, Words(result, text));
        Assert.True(result.EndsInBytes);
        Assert.IsType<CutStep>(Assert.Single(result.Steps));
        Assert.Empty(problems);
    }

    [Fact]
    public void Byte_level_without_its_expression_leaves_the_text_whole()
    {
        var (component, _) = Json.Component("""{"type": "ByteLevel", "add_prefix_space": true, "use_regex": false}""");
        var result = PreTokenizerReader.Read(component);
        Assert.IsType<PrefixSpaceStep>(Assert.Single(result.Steps));
        Assert.True(result.EndsInBytes);
    }

    [Theory]
    [InlineData("""{"Regex": "\\d"}""", "Isolated", false, "a|1|2|b")]
    [InlineData("""{"Regex": "\\d"}""", "Isolated", true, "a|1|2|b")]
    [InlineData("""{"Regex": "\\d"}""", "Removed", false, "a|b")]
    [InlineData("""{"Regex": "\\d"}""", "Removed", true, "1|2")]
    [InlineData("""{"Regex": "\\d"}""", "Contiguous", false, "a|12|b")]
    [InlineData("""{"Regex": "\\d"}""", "MergedWithPrevious", false, "a1|2|b")]
    [InlineData("""{"Regex": "\\d"}""", "MergedWithNext", false, "a|1|2b")]
    [InlineData("""{"String": "12"}""", "Isolated", false, "a|12|b")]
    [InlineData("""{"String": "."}""", "Isolated", false, "a12b")]
    public void Split_keeps_matches_and_gaps_as_its_behavior_says(string pattern, string behavior, bool invert, string expected)
    {
        var (component, problems) = Json.Component(
            $$"""{"type": "Split", "pattern": {{pattern}}, "behavior": "{{behavior}}", "invert": {{(invert ? "true" : "false")}} }""");
        Assert.Equal(expected, Words(PreTokenizerReader.Read(component), "a12b"));
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
        Assert.Equal("a|b|x|c|d|x", Words(result, "abx cdx"));
        Assert.True(result.EndsInBytes);
        Assert.Empty(problems);
    }

    [Fact]
    public void Words_written_anew_know_where_they_come_from()
    {
        var (component, _) = Json.Component(
            """
            {"type": "Sequence", "pretokenizers": [
              {"type": "Metaspace", "replacement": "_", "prepend_scheme": "always"}, {"type": "ByteLevel", "use_regex": false},
              {"type": "Split", "pattern": {"Regex": "©|_b"}, "behavior": "Isolated"}]}
            """);
        var preTokenization = PreTokenizerReader.Read(component);
        var list = new WordList("é bc", startsText: true, keepsOrigins: true);
        preTokenization.Apply(list);
        Assert.Equal("Ġ_Ã|©|Ġ|_b|c", string.Join('|', list.Words.Select(word => list.Text.Substring(word.Start, word.Length))));
        Assert.Equal([(0, 1), (0, 1), (1, 0), (1, 2), (3, 1)], preTokenization.PreTokenize("é bc"));
    }

    [Theory]
    [InlineData(
        """{"type": "CharDelimiterSplit", "delimiter": "x"}""",
        "the type 'CharDelimiterSplit' is not supported; supported are BertPreTokenizer, ByteLevel, Digits, Metaspace, Punctuation, "
            + "Sequence, Split, Whitespace, WhitespaceSplit")]
    [InlineData(
        """{"type": "Split", "pattern": {"String": " "}, "behavior": "Merged"}""",
        "the behavior 'Merged' is not supported; supported are Removed, Isolated, Contiguous, MergedWithPrevious, MergedWithNext")]
    [InlineData("""{"type": "Split", "behavior": "Isolated"}""", "'pattern' has neither a String nor a Regex")]
    [InlineData(
        """{"type": "Split", "pattern": {"Regex": "[[:alpha:]]"}, "behavior": "Isolated"}""",
        "the expression [[:alpha:]] uses '[:', which is not supported")]
    [InlineData(
        """{"type": "Split", "pattern": {"Regex": "[a[bc]]"}, "behavior": "Isolated"}""",
        "the expression is not supported: Invalid pattern '[a[bc]]' at offset 2. A class within a class.")]
    [InlineData(
        """{"type": "Split", "pattern": {"Regex": "a++"}, "behavior": "Isolated"}""",
        "the expression is not supported: Invalid pattern 'a++' at offset 3. Nested quantifier '+'.")]
    [InlineData("""{"type": "ByteLevel", "use_regex": 1}""", "'use_regex' is 1, expected true or false")]
    [InlineData(
        """{"type": "Metaspace", "replacement": "_", "prepend_scheme": "last"}""",
        "'prepend_scheme' is 'last', expected always, first or never")]
    [InlineData(
        """{"type": "Metaspace", "replacement": "_", "prepend_scheme": "first", "add_prefix_space": false}""",
        "'add_prefix_space' is false, but 'prepend_scheme' is not 'never'")]
    public void What_can_not_be_used_is_a_problem(string json, string expected)
    {
        var (component, problems) = Json.Component(json);
        PreTokenizerReader.Read(component);
        Assert.Equal([$"file.json: {expected}"], problems);
    }

    private static string Words(PreTokenization preTokenization, string text) =>
        string.Join('|', preTokenization.PreTokenize(text).Select(word => text.Substring(word.Item1, word.Item2)));
}
