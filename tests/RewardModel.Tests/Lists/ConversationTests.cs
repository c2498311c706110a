using System.Text.Json;
using RewardModel.Lists;

namespace RewardModel.Tests.Lists;

/// <summary>Messages, conversations and lists of them.</summary>
public class ConversationTests
{
    private static readonly ChatMessage message = new("user", "hello");
    private static readonly RankedChat chat = new(new Conversation([message]), [[message], [message, message]]);

    [Fact]
    public void Null_is_told_by_the_name_of_the_parameter()
    {
        Assert.Throws<ArgumentNullException>("role", () => new ChatMessage(null!, ""));
        Assert.Throws<ArgumentNullException>("content", () => new ChatMessage("user", null!));
        Assert.Throws<ArgumentNullException>("Messages", () => new Conversation(null!));
        Assert.Throws<ArgumentNullException>("Messages", () => chat.Prompt with { Messages = null! });
        Assert.Throws<ArgumentNullException>("Prompt", () => new RankedChat(null!, [[message]]));
        Assert.Throws<ArgumentNullException>("Prompt", () => chat with { Prompt = null! });
        Assert.Throws<ArgumentNullException>("Answers", () => new RankedChat(chat.Prompt, null!));
        Assert.Throws<ArgumentNullException>("Answers", () => chat with { Answers = null! });
    }

    [Fact]
    public void What_is_null_inside_is_counted()
    {
        Assert.Equal(
            "Message 2 of 2 is null; expected a message. (Parameter 'Messages')",
            Assert.Throws<ArgumentNullException>(() => new Conversation([message, null!])).Message);
        Assert.Equal(
            "Answer 2 of 2 is null; expected messages. (Parameter 'Answers')",
            Assert.Throws<ArgumentNullException>(() => chat with { Answers = [[message], null!] }).Message);
        Assert.Equal(
            "A message of answer 1 of 1 is null; expected a message. (Parameter 'Answers')",
            Assert.Throws<ArgumentNullException>(() => chat with { Answers = [[null!]] }).Message);
    }

    [Fact]
    public void Nothing_that_has_to_be_there_is_empty()
    {
        Assert.Equal(
            "The role is empty; expected one that the chat template knows, such as user. (Parameter 'role')",
            Assert.Throws<ArgumentException>(() => new ChatMessage("", "hello")).Message);
        Assert.Equal(
            "There are no answers; expected at least one. (Parameter 'Answers')",
            Assert.Throws<ArgumentException>(() => chat with { Answers = [] }).Message);
        Assert.Equal(
            "Answer 2 of 2 has no messages; expected at least one. (Parameter 'Answers')",
            Assert.Throws<ArgumentException>(() => chat with { Answers = [[message], []] }).Message);
        Assert.Empty(new Conversation([]).Messages);
        Assert.Equal("user", new ChatMessage("user", "").Role);
    }

    [Theory]
    [InlineData("1")]
    [InlineData("{}")]
    [InlineData("""{"role": 1}""")]
    [InlineData("""{"role": ""}""")]
    public void A_message_of_JSON_has_a_role(string json)
    {
        using var document = JsonDocument.Parse(json);
        Assert.Equal(
            "The message is not a JSON object whose \"role\" is a string; expected one such as "
            + "{\"role\": \"user\", \"content\": \"...\"}. (Parameter 'json')",
            Assert.Throws<ArgumentException>(() => ChatMessage.FromJson(document.RootElement)).Message);
    }

    [Fact]
    public void A_list_of_conversations_has_a_score_for_every_answer() => Assert.Equal(
        "There is 1 score for 2 answers; expected one score for each answer. (Parameter 'Scores')",
        Assert.Throws<ArgumentException>(() => RankedList.OfChat(chat, [0])).Message);
}
