using RewardModel.Reading;

namespace RewardModel.Tests.Reading;

public class TextLinesTests
{
    [Fact]
    public void An_array_of_texts_and_conversations_is_read_with_their_system_texts()
    {
        using var directory = new TemporaryDirectory();
        File.WriteAllText(directory["texts.json"], """
            [
              {"text": "a"},
              {"messages": [{"role": "user", "content": "b"}], "system": "c"}
            ]
            """);
        var lines = TextLines.Read(directory["texts.json"]);
        Assert.Equal([2, 3], lines.Select(line => line.Source.Line));
        Assert.Equal("a", lines[0].Text);
        Assert.Equal(["system", "user"], lines[1].Conversation!.Messages.Select(message => message.Role));
    }
}
