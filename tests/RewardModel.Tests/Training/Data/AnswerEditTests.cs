using RewardModel.Lists;
using RewardModel.Training.Data;

namespace RewardModel.Tests.Training.Data;

public class AnswerEditTests
{
    private static readonly AnswerEdit trailing = AnswerEdit.All.Single(edit => edit.Name == "trailing-space");
    private static readonly AnswerEdit doubled = AnswerEdit.All.Single(edit => edit.Name == "double-spaces");

    [Fact]
    public void Answers_of_text_are_changed_and_the_prompt_is_not()
    {
        var list = new RankedList("a b", ["c d", "e"], [2, 1]);
        Assert.Equal(["c d \n", "e \n"], trailing.Of(list)!.Answers);
        Assert.Equal(["c  d", "e"], doubled.Of(list)!.Answers);
        Assert.Equal("a b", doubled.Of(list)!.Prompt);
        Assert.Equal([2.0, 1], doubled.Of(list)!.Scores);
    }

    [Fact]
    public void A_list_without_anything_to_change_is_left_out() =>
        Assert.Null(doubled.Of(new RankedList("a b", ["c", "e"], [2, 1])));

    [Fact]
    public void Of_a_conversation_the_last_message_is_changed_with_all_that_it_has()
    {
        var tool = ChatMessage.FromJson(Json("""{"role": "assistant", "content": "x y", "name": "me"}"""));
        var list = RankedList.OfChat(
            new RankedChat(
                new Conversation([new ChatMessage("user", "a b")]),
                [[new ChatMessage("assistant", "p q"), tool], [new ChatMessage("assistant", "z")]]),
            [2, 1]);
        var edited = doubled.Of(list)!.Chat!;
        Assert.Equal("a b", edited.Prompt.Messages[0].Json.GetProperty("content").GetString());
        Assert.Equal("p q", edited.Answers[0][0].Json.GetProperty("content").GetString());
        Assert.Equal("x  y", edited.Answers[0][1].Json.GetProperty("content").GetString());
        Assert.Equal("me", edited.Answers[0][1].Json.GetProperty("name").GetString());
        Assert.Equal("z", edited.Answers[1][0].Json.GetProperty("content").GetString());
    }

    [Fact]
    public void A_conversation_whose_last_message_has_no_text_is_left_out()
    {
        var call = ChatMessage.FromJson(Json("""{"role": "assistant", "content": null, "tool_calls": []}"""));
        Assert.Null(trailing.Of(RankedList.OfChat(
            new RankedChat(new Conversation([new ChatMessage("user", "a")]), [[call], [new ChatMessage("assistant", "z")]]), [2, 1])));
    }

    private static System.Text.Json.JsonElement Json(string text) => System.Text.Json.JsonDocument.Parse(text).RootElement;
}
