using RewardModel.Layouts;
using RewardModel.Reading;

namespace RewardModel.Tests.Layouts;

public class WholeTextTests
{
    [Fact]
    public void An_array_of_texts_and_conversations_is_read_with_their_system_texts()
    {
        using var directory = new TemporaryDirectory();
        File.WriteAllText(directory["texts.json"], """
            [
              {"text": "a", "prompt": "passed over"},
              {"messages": [{"role": "user", "content": "b"}], "system": "c"}
            ]
            """);
        using var lines = new RankedListFiles([directory["texts.json"]]).Open(mayBeWhole: true);
        var rows = lines.Read().ToArray();
        Assert.Equal([2, 3], rows.Select(row => row.Source.Line));
        Assert.All(rows, row => Assert.Empty(row.Lists));
        Assert.Equal("a", rows[0].Whole!.Text);
        Assert.Equal(["system", "user"], rows[1].Whole!.Conversation!.Messages.Select(message => message.Role));
    }

    [Fact]
    public void A_row_that_is_no_list_is_a_text_only_where_it_may_be_one()
    {
        using var directory = new TemporaryDirectory();
        File.WriteAllLines(directory["rows.jsonl"], [
            """{"text": "a", "answers": ["b"], "prompt": "c"}""", """{"text": "a"}""", """{"text": "a", "messages": [{"role": "user", "content": "b"}]}""", """{"prompt": "a"}""",
        ]);
        (ParsedRow[], BadLine[]) Read(bool mayBeWhole)
        {
            using var lines = new RankedListFiles([directory["rows.jsonl"]]).Open(mayBeWhole: mayBeWhole);
            return ([.. lines.Read().Where(row => row.Problem is null)], [.. lines.BadLines]);
        }

        var (rows, bad) = Read(mayBeWhole: true);
        Assert.Equal([true, false], rows.Select(row => row.Whole is null));
        Assert.Equal(
            [
                "\"text\" and \"messages\" are given, expected one of them",
                "no answers, expected \"answers\", or \"chosen\" and \"rejected\", or \"answer_ids\", or \"text\" or \"messages\" alone; "
                    + "found \"prompt\", of which --query can make them",
            ],
            bad.Select(line => line.Reason));
        (rows, bad) = Read(mayBeWhole: false);
        Assert.Null(Assert.Single(rows).Whole);
        Assert.Equal([2, 3, 4], bad.Select(line => line.Source.Line));
    }
}
