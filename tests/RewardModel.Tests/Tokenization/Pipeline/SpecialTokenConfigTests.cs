using RewardModel.Tokenization;

namespace RewardModel.Tests.Tokenization.Pipeline;

public class SpecialTokenConfigTests
{
    private const string Template =
        """
        {"type": "TemplateProcessing",
         "single": [{"SpecialToken": {"id": "<s>"}}, {"Sequence": {"id": "A"}}, {"SpecialToken": {"id": "!"}}],
         "special_tokens": {"<s>": {"ids": [262]}, "!": {"ids": [33]}}}
        """;

    [Theory]
    [InlineData("""{"bos_token": "<s>", "eos_token": "</s>"}""", "null", null, 263)]
    [InlineData("""{"bos_token": "<s>", "eos_token": "</s>", "add_bos_token": true}""", "null", 262, 263)]
    [InlineData("""{"bos_token": "<s>", "eos_token": "</s>", "add_bos_token": true}""", Template, 262, 263)] // never two
    [InlineData("""{"bos_token": "<s>", "eos_token": "</s>", "add_bos_token": false}""", Template, null, 263)]
    [InlineData("""{"bos_token": "<s>", "eos_token": "</s>", "add_eos_token": false}""", Template, 262, 263)]
    [InlineData("{}", Template, 262, 33)]
    [InlineData("{}", "null", null, null)]
    public void The_rule_follows_the_configuration_and_then_the_post_processor(
        string config, string postProcessor, int? prependId, int? appendId)
    {
        using var folder = TokenizerFolder.ByteLevel(config, postProcessor);
        Assert.Equal(new SpecialTokenRule(prependId, appendId), HuggingFaceTokenizer.Load(folder.Directory).SpecialTokenRule);
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
    public void More_than_one_token_before_the_text_is_a_problem()
    {
        using var folder = TokenizerFolder.ByteLevel("{}", Template.Replace("[262]", "[262, 263]", StringComparison.Ordinal));
        var error = Assert.Throws<TokenizerException>(() => HuggingFaceTokenizer.Load(folder.Directory));
        Assert.Equal(["tokenizer.json: post_processor: found 2 special tokens before the text, expected at most one"], error.Problems);
    }
}
