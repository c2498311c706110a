using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using RewardModel.Layouts;
using RewardModel.Lists;

namespace RewardModel.Tests.Lists;

public class StepEndsTests
{
    [Fact]
    public void A_separator_may_be_written_with_escapes()
    {
        Assert.Equal("\n\n", StepEnds.Unescape(@"\n\n"));
        Assert.Equal("a\t\\nk\u043A", StepEnds.Unescape(@"a\t\\nk\u043a"));
        Assert.All([@"\", @"\x", @"\u12", @"\u12g4"], text => Assert.Throws<ArgumentException>(() => StepEnds.Unescape(text)));
        Assert.Throws<ArgumentException>(() => StepEnds.Unescape(""));
    }

    [Fact]
    public void Steps_end_behind_each_separator()
    {
        Assert.Equal([2, 5], StepEnds.In("a\nbc\nd", "\n"));
        Assert.Equal([2, 4], StepEnds.In("xxxxx", "xx"));
        Assert.Empty(StepEnds.In("abc", "\n"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Steps_are_written_as_they_are_read_again(bool isChat)
    {
        var list = RankedList.OfSteps("p", ["a", "b<x>c", "d", "e"], [null, 0.5, 1, null], "<x>");
        var row = JsonNode.Parse(OwnRow.Of(isChat ? list.AsChat() : list))!;
        // What follows the last label is nothing that is trained on.
        Assert.Equal("""{"steps":["a","b<x>c","d"],"labels":[null,0.5,1],"separator":"<x>"}""", new JsonObject(
            new[] { "steps", "labels", "separator" }.Select(key => KeyValuePair.Create(key, row[key]?.DeepClone()))).ToJsonString(
                new JsonSerializerOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }));
    }

    [Fact]
    public void A_list_of_steps_has_an_answer_for_each_label()
    {
        var list = RankedList.OfSteps("p", ["a", "b", "c"], [1, null, 0]);
        Assert.Equal(["a\n", "a\nb\nc\n"], list.Answers);
        Assert.Equal([1, 0], list.Scores);
        Assert.Equal("\n", list.Steps!.Separator);
        Assert.Equal([4], list.Steps.Unlabelled);
        Assert.Same(list.Steps, list.AsChat().Steps);
        Assert.StartsWith("There is 1 label for 2 steps", Assert.Throws<ArgumentException>(() => RankedList.OfSteps("p", ["a", "b"], [1])).Message);
        Assert.StartsWith("Step 2 of 2 is empty", Assert.Throws<ArgumentException>(() => RankedList.OfSteps("p", ["a", ""], [1, 1])).Message);
        Assert.StartsWith("No step has a label", Assert.Throws<ArgumentException>(() => RankedList.OfSteps("p", ["a"], [null])).Message);
    }
}
