using RewardModel.Tokenizers.Pipeline;

namespace RewardModel.Tests.Tokenizers.Pipeline;

public class PostProcessorTests
{
    private const string Tokens =
        """ "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": []}, "</s>": {"id": "</s>", "ids": [2, 3], "tokens": []}} """;

    [Theory]
    [InlineData("""{"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": false, "use_regex": true}""", "", "")]
    [InlineData("{\"type\": \"TemplateProcessing\", \"single\": [{\"Sequence\": {\"id\": \"A\"}}], \"pair\": []," + Tokens + "}", "", "")]
    [InlineData(
        "{\"type\": \"TemplateProcessing\", \"single\": [{\"SpecialToken\": {\"id\": \"<s>\"}}, {\"Sequence\": {\"id\": \"A\"}}, "
            + "{\"SpecialToken\": {\"id\": \"</s>\"}}]," + Tokens + "}",
        "1", "2 3")]
    [InlineData("""{"type": "BertProcessing", "sep": ["[SEP]", 7], "cls": ["[CLS]", 6]}""", "6", "7")]
    [InlineData("""{"type": "RobertaProcessing", "sep": ["</s>", 7], "cls": ["<s>", 6], "trim_offsets": true}""", "6", "7")]
    [InlineData(
        "{\"type\": \"Sequence\", \"processors\": [{\"type\": \"ByteLevel\"}, {\"type\": \"TemplateProcessing\", \"single\": "
            + "[{\"SpecialToken\": {\"id\": \"<s>\"}}, {\"Sequence\": {\"id\": \"A\"}}]," + Tokens + "}]}",
        "1", "")]
    public void Special_tokens_stand_before_and_after_the_text(string json, string before, string after)
    {
        var (component, problems) = Json.Component(json);
        var postProcessor = PostProcessor.Read(component);
        Assert.Equal(before, string.Join(' ', postProcessor.Before));
        Assert.Equal(after, string.Join(' ', postProcessor.After));
        Assert.Empty(problems);
    }

    [Theory]
    [InlineData(
        """{"type": "GptProcessing"}""",
        "the type 'GptProcessing' is not supported; supported are BertProcessing, ByteLevel, RobertaProcessing, Sequence, "
            + "TemplateProcessing")]
    [InlineData("""{"type": "BertProcessing", "cls": ["[CLS]", 1], "sep": "[SEP]"}""", "'sep' is \"[SEP]\", expected a token and its id")]
    [InlineData("""{"type": "TemplateProcessing", "single": []}""", "'single' has the text 0 times, expected once")]
    [InlineData(
        """{"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A"}}, {"SpecialToken": {"id": "<s>"}}], "special_tokens": {}}""",
        "single[1]: the special token '<s>' has no ids among 'special_tokens'")]
    [InlineData(
        """{"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A"}, "Other": 1}]}""",
        "single[0]: the option 'Other' is not supported")]
    public void What_can_not_be_used_is_a_problem(string json, string expected)
    {
        var (component, problems) = Json.Component(json);
        PostProcessor.Read(component);
        Assert.Equal([$"file.json: {expected}"], problems);
    }
}
