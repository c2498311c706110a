using RewardModel.Layouts;

namespace RewardModel.Tests.Layouts;

public class CommonStartTests
{
    [Theory]
    [InlineData("\n\nHuman: a?\n\nAssistant: I do.", "\n\nHuman: a?\n\nAssistant: I don't.", "\n\nHuman: a?\n\nAssistant:")]
    [InlineData(
        "\n\nHuman: a\n\nAssistant: b\n\nHuman: c\n\nAssistant: d", "\n\nHuman: a\n\nAssistant: b\n\nHuman: c\n\nAssistant: e",
        "\n\nHuman: a\n\nAssistant: b\n\nHuman: c\n\nAssistant:")]
    [InlineData("\n\nHuman: a\n\nAssistant: b\n\nHuman: c", "\n\nHuman: a\n\nAssistant: d", "\n\nHuman: a\n\nAssistant:")]
    [InlineData(
        "\n\nHuman: a\n\nAssistant: b\n\nHuman: c", "\n\nHuman: a\n\nAssistant: b\n\nHuman: d",
        "\n\nHuman: a\n\nAssistant: b\n\nHuman:")]
    [InlineData("User: a\nBot:yes", "User: a\nBot:no", "User: a\nBot:")]
    [InlineData("### Question:\na\n### Response:\nb c", "### Question:\na\n### Response:\nb d", "### Question:\na\n### Response:")]
    [InlineData("**User:** a\n**Bot:** b", "**User:** a\n**Bot:** c", "**User:** a\n**Bot:**")]
    [InlineData("问：一\n答：好的", "问：一\n答：好吧", "问：一\n答：")]
    [InlineData("  Q1: a", "  Q1: b", "  Q1:")]
    public void The_prompt_ends_after_the_last_turn(string chosen, string rejected, string prompt) =>
        AssertPrompt(chosen, rejected, prompt, PromptEnd.Turn);

    [Theory]
    [InlineData("I think yes", "I think no", "I think")]
    [InlineData("I think yesterday", "I think yes", "I think")]
    [InlineData("I think yes", "I think yes, sir", "I think yes")]
    [InlineData("one  two", "one  three", "one")]
    [InlineData("see http://a", "see http://b", "see http://")]
    [InlineData("http://a b", "http://a c", "http://a")]
    [InlineData("at 12:30 now", "at 12:31 now", "at 12:")]
    [InlineData("我很好", "我很坏", "我很")]
    [InlineData("né e\u0301a", "né e\u0301b", "né")]
    [InlineData("ok \U0001F600", "ok \U0001F601", "ok")]
    [InlineData("this Note: is in a line", "this Note: is on a line", "this Note: is")]
    [InlineData("abc", "xyz", "")]
    [InlineData("apple", "apply", "")]
    [InlineData("  a", "  b", "")]
    [InlineData("", "a", "")]
    public void Without_a_turn_it_ends_after_the_last_whole_word(string chosen, string rejected, string prompt) =>
        AssertPrompt(chosen, rejected, prompt, PromptEnd.Word);

    private static void AssertPrompt(string chosen, string rejected, string prompt, PromptEnd end)
    {
        Assert.Equal((prompt, end), (chosen[..CommonStart.Of(chosen, rejected).Length], CommonStart.Of(chosen, rejected).End));
        Assert.Equal(CommonStart.Of(chosen, rejected), CommonStart.Of(rejected, chosen));
    }
}
