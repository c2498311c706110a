using System.Text;
using System.Text.Json;
using RewardModel.Layouts;
using RewardModel.Lists;

namespace RewardModel.Tests.Layouts;

public class NullMembersTests
{
    [Theory]
    [InlineData("""{"a":null,"b":[1,null]}""", """{"a":null,"b":[1,null]}""")]
    [InlineData(
        """{"messages":[{"role":"user","content":null,"tool_calls":[{"name":"f","x":null}],"y":null}],"z":null}""",
        """{"messages":[{"role":"user","content":null,"tool_calls":[{"name":"f"}]}],"z":null}""")]
    public void Members_of_inner_objects_that_are_null_are_taken_away_but_for_contents(string row, string expected) =>
        Assert.Equal(expected, NullMembers.Without(JsonDocument.Parse(row).RootElement).GetRawText());

    [Fact]
    public void Only_rows_of_tables_lose_them()
    {
        const string row = """{"messages":[{"role":"user","content":"p","name":null}],"answers":["a","b"]}""";
        string Read(bool isRow) => new RowParser(new RowSettings())
            .Parse(Encoding.UTF8.GetBytes(row), new SourceLine("x", 1) { IsRow = isRow }).List!.Chat!.Prompt.Messages[0].Json.GetRawText();
        Assert.Equal("""{"role":"user","content":"p"}""", Read(isRow: true));
        Assert.Equal("""{"role":"user","content":"p","name":null}""", Read(isRow: false));
    }
}
