using RewardModel.Lists;

namespace RewardModel.Tests.Lists;

public class RankedListTests
{
    private static readonly RankedList list = new("p", ["a", "b"], [1, 0]);

    [Fact]
    public void Null_is_told_by_the_name_of_the_parameter()
    {
        Assert.Throws<ArgumentNullException>("Prompt", () => new RankedList(null!, ["a"], [0]));
        Assert.Throws<ArgumentNullException>("Answers", () => new RankedList("p", null!, [0]));
        Assert.Throws<ArgumentNullException>("Scores", () => new RankedList("p", ["a"], null!));
        Assert.Throws<ArgumentNullException>("Scores", () => list with { Scores = null! });
        Assert.Throws<ArgumentNullException>("prompt", () => RankedList.BestFirst(null!, "a"));
        Assert.Throws<ArgumentNullException>("answers", () => RankedList.BestFirst("p", (string[])null!));
        Assert.Throws<ArgumentNullException>("chat", () => RankedList.OfChat(null!, [0]));
    }

    [Fact]
    public void An_answer_that_is_null_is_counted()
    {
        const string message = "Answer 2 of 3 is null; expected a text, which may be empty. (Parameter '{0}')";
        Assert.Equal(
            string.Format(message, "Answers"),
            Assert.Throws<ArgumentNullException>(() => new RankedList("p", ["a", null!, "c"], [2, 1, 0])).Message);
        Assert.Equal(
            string.Format(message, "answers"),
            Assert.Throws<ArgumentNullException>(() => RankedList.BestFirst("p", "a", null!, "c")).Message);
    }

    [Fact]
    public void There_is_at_least_one_answer()
    {
        Assert.Equal(
            "There are no answers; expected at least one. (Parameter 'Answers')",
            Assert.Throws<ArgumentException>(() => new RankedList("p", [], [])).Message);
        Assert.Equal(
            "There are no answers; expected at least one. (Parameter 'answers')",
            Assert.Throws<ArgumentException>(() => RankedList.BestFirst("p")).Message);
    }

    [Fact]
    public void Every_answer_has_one_score()
    {
        Assert.Equal(
            "There are 2 scores for 1 answer; expected one score for each answer. (Parameter 'Scores')",
            Assert.Throws<ArgumentException>(() => new RankedList("p", ["a"], [1, 0])).Message);
        Assert.Equal(
            "There is 1 score for 2 answers; expected one score for each answer. (Parameter 'Scores')",
            Assert.Throws<ArgumentException>(() => list with { Scores = [1] }).Message);
    }

    [Theory]
    [InlineData(double.NaN, "NaN")]
    [InlineData(double.PositiveInfinity, "Infinity")]
    [InlineData(double.NegativeInfinity, "-Infinity")]
    public void Scores_are_finite(double score, string text)
    {
        var expected = $"Score 2 of 2 is {text}; expected a finite number. (Parameter 'Scores')";
        Assert.Equal(expected, Assert.Throws<ArgumentException>(() => new RankedList("p", ["a", "b"], [1, score])).Message);
        Assert.Equal(expected, Assert.Throws<ArgumentException>(() => list with { Scores = [1, score] }).Message);
    }

    [Fact]
    public void Scores_can_be_replaced_by_as_many_others()
    {
        var changed = list with { Scores = [0, 7], Source = new SourceLine("x.jsonl", 3) };
        Assert.Equal(("p", "a b", "0 7", "x.jsonl:3"), (
            changed.Prompt, string.Join(' ', changed.Answers), string.Join(' ', changed.Scores), changed.Source.ToString()));
    }

    [Fact]
    public void New_scores_are_more_than_an_order()
    {
        var list = RankedList.BestFirst("p", "a", "b");
        Assert.True(list.ScoresAreOrder);
        Assert.False((list with { Scores = [7, 5] }).ScoresAreOrder);
        Assert.True((list with { Scores = [7, 5], ScoresAreOrder = true }).ScoresAreOrder);
        Assert.False(new RankedList("p", ["a"], [0]).ScoresAreOrder);
    }

    [Fact]
    public void As_a_conversation_a_list_keeps_what_it_says_of_itself()
    {
        var chat = (RankedList.BestFirst("p", "a", "b") with { Margin = 0.5, Weight = 2 }).AsChat();
        Assert.Equal((true, 0.5, 2), (chat.ScoresAreOrder, chat.Margin, chat.Weight));
    }

    [Fact]
    public void Margins_and_weights_are_checked()
    {
        var list = RankedList.BestFirst("p", "a", "b");
        Assert.Equal(
            "The list's margin is -1; expected a finite number, 0 or more. (Parameter 'Margin')",
            Assert.Throws<ArgumentException>(() => list with { Margin = -1 }).Message);
        Assert.Equal(
            "The list's weight is 0; expected a finite number above 0. (Parameter 'Weight')",
            Assert.Throws<ArgumentException>(() => list with { Weight = 0 }).Message);
    }

    [Fact]
    public void Empty_texts_and_ties_are_allowed() => Assert.Equal([0.0, 0], new RankedList("", ["", ""], [0, 0]).Scores);

    [Fact]
    public void The_order_of_fewer_than_no_answers_is_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>("count", () => RankedList.ScoresOfOrder(-1));
}
