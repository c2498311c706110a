using RewardModel.Tokenization.Pipeline;

namespace RewardModel.Tests.Tokenization.Pipeline;

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
    [InlineData(
        "{\"type\": \"Sequence\", \"processors\": [{\"type\": \"ByteLevel\"}, {\"type\": \"TemplateProcessing\", \"single\": "
            + "[{\"SpecialToken\": {\"id\": \"<s>\"}}, {\"Sequence\": {\"id\": \"A\"}}]," + Tokens + "}]}",
        "1", "")]
    public void Special_tokens_stand_before_and_after_the_text(string json, string before, string after)
    {
        var (component, problems) = Json.Component(json);
        var postProcessor = PostProcessor.Read(component);
        Assert.Equal(before, string.Join(' ', postProcessor.IdsBefore));
        Assert.Equal(after, string.Join(' ', postProcessor.IdsAfter));
        Assert.Empty(problems);
    }

    [Theory]
    [InlineData(
        """{"type": "BertProcessing"}""",
        "the type 'BertProcessing' is not supported; supported are ByteLevel, Sequence, TemplateProcessing")]
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
