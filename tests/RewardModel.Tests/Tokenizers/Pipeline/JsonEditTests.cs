using System.Text;
using RewardModel.Tokenizers.Pipeline;

namespace RewardModel.Tests.Tokenizers.Pipeline;

public class JsonEditTests
{
    [Theory]
    [InlineData("""{"a": 1, "pad": null}""", """{"a": 1, "pad": "<p>"}""")]
    [InlineData("""{ "pad" : {"content": "x", "pad": 1} ,"é\u00e9": [ 1.50 ]}""", """{ "pad" : "<p>" ,"é\u00e9": [ 1.50 ]}""")]
    [InlineData("{\n  \"a\": {\"pad\": 2}\n}\n", "{\n  \"pad\": \"<p>\",\n  \"a\": {\"pad\": 2}\n}\n")]
    [InlineData("""{"pad": 1, "pad": 2}""", """{"pad": 1, "pad": "<p>"}""")]
    [InlineData("{}", """{"pad": "<p>"}""")]
    [InlineData("{ }", """{"pad": "<p>" }""")]
    public void Only_the_member_changes(string json, string expected) =>
        Assert.Equal(expected, Encoding.UTF8.GetString(JsonEdit.Set(Encoding.UTF8.GetBytes(json), "pad", "<p>")));

    [Theory]
    [InlineData("""{"padding": {"x": [0], "pad": 2}, "b": 1}""", """{"padding": {"x": [0], "pad": 7}, "b": 1}""")]
    [InlineData("""{"padding": null}""", """{"padding": null}""")]
    [InlineData("""{"b": {"pad": 1}}""", """{"b": {"pad": 1}}""")]
    public void A_member_of_a_section_changes_where_there_is_the_section(string json, string expected) =>
        Assert.Equal(expected, Encoding.UTF8.GetString(JsonEdit.Set(Encoding.UTF8.GetBytes(json), "padding", "pad", 7)));
}
