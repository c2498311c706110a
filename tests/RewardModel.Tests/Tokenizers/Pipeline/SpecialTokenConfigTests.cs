using RewardModel.Tokenizers;

namespace RewardModel.Tests.Tokenizers.Pipeline;

public class SpecialTokenConfigTests
{
    private const string Template =
        """
        {"type": "TemplateProcessing",
         "single": [{"SpecialToken": {"id": "<s>"}}, {"Sequence": {"id": "A"}}, {"SpecialToken": {"id": "!"}}],
         "special_tokens": {"<s>": {"ids": [262]}, "!": {"ids": [33]}}}
        """;

    [Theory]
    [InlineData("""{"bos_token": "<s>", "eos_token": "</s>"}""", "null", "", "263")]
    [InlineData("""{"bos_token": "<s>", "eos_token": "</s>", "add_bos_token": true}""", "null", "262", "263")]
    [InlineData("""{"bos_token": "<s>", "eos_token": "</s>", "add_bos_token": true}""", Template, "262", "263")] // never two
    [InlineData("""{"bos_token": "<s>", "eos_token": "</s>", "add_bos_token": false}""", Template, "", "263")]
    [InlineData("""{"bos_token": "<s>", "eos_token": "</s>", "add_eos_token": false}""", Template, "262", "263")]
    [InlineData("{}", Template, "262", "33")]
    [InlineData("{}", "null", "", "")]
    public void The_rule_follows_the_configuration_and_then_the_post_processor(
        string config, string postProcessor, string before, string after)
    {
        using var folder = TokenizerFolder.ByteLevel(config, postProcessor);
        Assert.Equal(new SpecialTokenRule(Ids(before), [], Ids(after)), HuggingFaceTokenizer.Load(folder.Directory).SpecialTokenRule);
    }

    [Theory]
    [InlineData("""{"type": "BertProcessing", "cls": ["<s>", 262], "sep": ["</s>", 263]}""", "262", "263", "263", 1)]
    [InlineData("""{"type": "RobertaProcessing", "cls": ["<s>", 262], "sep": ["</s>", 263]}""", "262", "263 263", "263", 0)]
    [InlineData(
        """
        {"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A"}}],
         "pair": [{"SpecialToken": {"id": "<s>"}}, {"Sequence": {"id": "A"}}, {"SpecialToken": {"id": "!"}},
                  {"Sequence": {"id": "B", "type_id": 1}}, {"SpecialToken": {"id": "!"}}],
         "special_tokens": {"<s>": {"ids": [262]}, "!": {"ids": [33]}}}
        """,
        "262", "33", "33", 1)]
    public void The_rule_of_an_encoder_is_its_template_for_pairs(
        string postProcessor, string before, string between, string after, int answerTokenType)
    {
        using var folder = TokenizerFolder.ByteLevel(
            """{"bos_token": "<s>", "eos_token": "</s>", "add_bos_token": false}""", postProcessor);
        Assert.Equal(
            new SpecialTokenRule(Ids(before), Ids(between), Ids(after), answerTokenType),
            HuggingFaceTokenizer.Load(folder.Directory).SpecialTokenRule);
    }

    /// <summary>Llama's, with and without an end, and one that only ends sequences.</summary>
    [Theory]
    [InlineData("<s> A <s> B", "262")]
    [InlineData("<s> A </s> <s> B </s>", "262")]
    [InlineData("A </s> B </s>", "")]
    [InlineData("<s> A B", "262")]
    public void Nothing_stands_between_prompt_and_answer_of_a_decoder(string pair, string before)
    {
        static string Piece(string name) => name switch
        {
            "A" => """{"Sequence": {"id": "A", "type_id": 0}}""",
            "B" => """{"Sequence": {"id": "B", "type_id": 1}}""",
            _ => $$"""{"SpecialToken": {"id": "{{name}}"} }""",
        };
        var single = pair.Contains("<s>", StringComparison.Ordinal) ? "<s> A" : "A";
        using var folder = TokenizerFolder.ByteLevel("""{"eos_token": "</s>"}""",
            $$$"""
            {"type": "TemplateProcessing", "single": [{{{string.Join(',', single.Split(' ').Select(Piece))}}}],
             "pair": [{{{string.Join(',', pair.Split(' ').Select(Piece))}}}],
             "special_tokens": {"<s>": {"ids": [262]}, "</s>": {"ids": [263]} } }
            """);
        Assert.Equal(new SpecialTokenRule(Ids(before), [], [263]), HuggingFaceTokenizer.Load(folder.Directory).SpecialTokenRule);
    }

    [Fact]
    public void Names_that_are_not_in_the_vocabulary_are_problems()
    {
        using var folder = TokenizerFolder.ByteLevel("""{"bos_token": "<bos>", "pad_token": {"content": "<p>"}, "add_bos_token": true}""");
        var error = Assert.Throws<TokenizerException>(() => HuggingFaceTokenizer.Load(folder.Directory));
        Assert.Equal(
            [
                "tokenizer_config.json: 'bos_token' is '<bos>', which is not in the vocabulary",
                "tokenizer_config.json: 'pad_token' is '<p>', which is not in the vocabulary",
                "tokenizer_config.json: 'add_bos_token' is true, but there is no 'bos_token'",
            ],
            error.Problems);
    }

    [Fact]
    public void Several_tokens_may_stand_before_the_text()
    {
        using var folder = TokenizerFolder.ByteLevel("{}", Template.Replace("[262]", "[262, 263]", StringComparison.Ordinal));
        Assert.Equal(new SpecialTokenRule([262, 263], [], [33]), HuggingFaceTokenizer.Load(folder.Directory).SpecialTokenRule);
    }

    private static int[] Ids(string text) => [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse)];
}
