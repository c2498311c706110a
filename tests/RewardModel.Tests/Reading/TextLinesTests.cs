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

    [Fact]
    public void A_ranked_list_is_read_as_its_answers_with_their_prompts()
    {
        using var directory = new TemporaryDirectory();
        File.WriteAllLines(directory["lists.jsonl"], [
            """{"prompt": "a ", "answers": ["b", "c"]}""",
            """{"prompt": "a ", "chosen": "d", "rejected": "e"}""",
            """{"prompt": [{"role": "user", "content": "f"}], "chosen": [{"role": "assistant", "content": "g"}], "rejected": [{"role": "assistant", "content": "h"}]}""",
        ]);
        var lines = TextLines.Read(directory["lists.jsonl"]);
        Assert.Equal(["a b", "a c", "a d", "a e", null, null], lines.Select(line => line.Text));
        Assert.Equal(["f g", "f h"], lines.Skip(4).Select(line => string.Join(
            ' ', line.Conversation!.Messages.Select(message => message.Json.GetProperty("content").GetString()))));
        Assert.Equal([1, 1, 2, 2, 3, 3], lines.Select(line => line.Source.Line));
    }
}
