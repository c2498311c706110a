using System.Text;
using System.Text.Json;
using RewardModel.Lists;

namespace RewardModel.Tests.Lists;

public class WholeCharactersTests
{
    [Theory]
    [InlineData("""{"a": "\ud83d\ude00"}""", null)]
    [InlineData("""{"a": "\\ud83d"}""", null)]
    [InlineData("""{"a": "\ud83d"}""", 6)]
    [InlineData("""{"b": 1, "\uDE00": "a"}""", 9)]
    [InlineData("""["\udfff"]""", 1)]
    public void The_first_text_with_half_of_a_character_is_found(string json, int? expected) =>
        Assert.Equal(expected, WholeCharacters.FirstWithout(Encoding.UTF8.GetBytes(json)));

    [Fact]
    public void Messages_and_tools_have_whole_characters()
    {
        static JsonElement Parsed(string json) => JsonSerializer.Deserialize<JsonElement>(json);

        Assert.Equal(
            "A text of the message has an escape such as \\ud800 of half a character; expected whole characters. Replace each by \\ufffd. "
            + "(Parameter 'json')",
            Assert.Throws<ArgumentException>(() => ChatMessage.FromJson(Parsed("""{"role": "user", "content": "\ud83d"}"""))).Message);
        var conversation = new Conversation([ChatMessage.FromJson(Parsed("""{"role": "user", "content": "\ud83d\ude00"}"""))]);
        Assert.Equal(
            "A text of the tools has an escape such as \\ud800 of half a character; expected whole characters. Replace each by \\ufffd. "
            + "(Parameter 'Tools')",
            Assert.Throws<ArgumentException>(() => conversation with { Tools = Parsed("""[{"\ud800": 1}]""") }).Message);
    }
}
