using System.Diagnostics;
using RewardModel.Lists;

namespace RewardModel.Tests.Lists;

public class TokenizedListTests
{
    [Fact]
    public void Some_of_the_answers_keep_what_belongs_to_them()
    {
        var list = new TokenizedList([1, 2, 3], [[4], [5], [6]], [2, 1, 0], new SourceLine("a.jsonl", 7))
        {
            AnswerTokenType = 1,
            OwnPromptIds = [[3], null, [2, 3]],
            ScoresAreOrder = true,
            Margin = 0.5,
            Weight = 2,
        };
        Assert.Equal([[3], [1, 2, 3], [2, 3]], Enumerable.Range(0, 3).Select(list.PromptOf));
        var some = list.WithAnswers([2, 1]);
        Assert.Equal([[6], [5]], some.AnswerIds);
        Assert.Equal([0.0, 1], some.Scores);
        Assert.Equal([[2, 3], [1, 2, 3]], [some.PromptOf(0), some.PromptOf(1)]);
        Assert.Equal((list.PromptIds, list.Source, 1), (some.PromptIds, some.Source, some.AnswerTokenType));
        Assert.Equal((true, 0.5, 2), (some.ScoresAreOrder, some.Margin, some.Weight));
        Assert.False((some with { Scores = [7, 5] }).ScoresAreOrder);
        Assert.Null((list with { OwnPromptIds = null }).WithAnswers([1]).OwnPromptIds);
    }

    [Fact]
    public void Answers_are_equal_if_their_tokens_are()
    {
        Assert.Null(new TokenizedList([1], [[4], [4, 4], [5]], [2, 1, 0]).EqualAnswers());
        Assert.Null(new TokenizedList([1], [[4]], [0]).EqualAnswers());
        Assert.Equal([0, 1, 0, 3, 1, 0], new TokenizedList([1], [[4], [5], [4], [6], [5], [4]], [5, 4, 3, 2, 1, 0]).EqualAnswers()!);
    }

    [Fact]
    public void Answers_are_equal_only_together_with_the_prompts_they_are_read_with()
    {
        var list = new TokenizedList([1, 2], [[4], [4], [4], [2, 4]], [3, 2, 1, 0]) { OwnPromptIds = [[2], null, [2], []] };
        // The last one has the same tokens as the first: only a model with token types can tell where its prompt ends.
        Assert.Equal([0, 1, 0, 0], list.EqualAnswers()!);
        Assert.Equal([0, 1, 0, 3], (list with { AnswerTokenType = 1 }).EqualAnswers()!);
        Assert.Null(list.WithAnswers([0, 1]).EqualAnswers());
    }

    /// <summary>Each pair by itself would take minutes: clients of a server send such lists.</summary>
    [Fact]
    public void Thousands_of_answers_with_prompts_of_their_own_are_compared_at_once()
    {
        int[][] prompts = [.. Enumerable.Range(0, 8000).Select(_ => Enumerable.Repeat(1, 500).ToArray())];
        var list = new TokenizedList([], [.. prompts.Select((_, k) => (int[])[2, k % 7999])], new double[8000]) { OwnPromptIds = prompts };
        var start = Stopwatch.GetTimestamp();
        var equal = list.EqualAnswers()!;
        Assert.InRange(Stopwatch.GetElapsedTime(start).TotalSeconds, 0, 20);
        Assert.Equal([.. Enumerable.Range(0, 7999), 0], equal);
    }
}
