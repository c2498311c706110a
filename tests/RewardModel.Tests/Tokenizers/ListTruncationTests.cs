using RewardModel.Lists;
using RewardModel.Tokenizers;

namespace RewardModel.Tests.Tokenizers;

/// <summary>In all lists 1 is the beginning of a sequence and 2 its end.</summary>
public class ListTruncationTests
{
    private static readonly SpecialTokenRule rule = new([1], [], [2]);

    [Theory]
    [InlineData("1 11 12 13", "21 2|22 23 2", 7, "1 11 12 13", "21 2|22 23 2", 0, 0)] // fits exactly
    [InlineData("1 11 12 13", "21 2|22 23 2", 6, "1 12 13", "21 2|22 23 2", 1, 0)]
    [InlineData("1 11 12 13", "21 2|22 23 2", 4, "1", "21 2|22 23 2", 1, 0)]
    [InlineData("1 11 12 13", "21 2|22 23 2", 3, "1", "21 2|22 2", 1, 1)]
    [InlineData("11 12 13", "21 2|22 23 2", 5, "12 13", "21 2|22 23 2", 1, 0)] // no special token at the start
    [InlineData("11 12 13", "21 2|22 23 2", 3, "", "21 2|22 23 2", 1, 0)]
    [InlineData("1", "21 22 23|24 25 2", 3, "1", "21 22|24 2", 0, 2)] // no special token at the end of the first answer
    [InlineData("", "21 22 23 24 2", 4, "", "21 22 23 2", 0, 1)]
    public void The_prompt_is_cut_at_its_start_for_the_longest_answer(
        string prompt, string answers, int maxLength, string expectedPrompt, string expectedAnswers, int promptCount, int answerCount)
    {
        var (list, cut) = new ListTruncation(rule, maxLength).Truncate(List(prompt, answers));
        Assert.Equal(expectedPrompt, string.Join(' ', list.PromptIds));
        Assert.Equal(expectedAnswers, string.Join('|', list.AnswerIds.Select(ids => string.Join(' ', ids))));
        Assert.Equal(new TruncationCount(promptCount, answerCount), cut);
    }

    /// <summary>8 is [CLS], 9 is [SEP].</summary>
    [Theory]
    [InlineData("8 11 12 9", "21 9", 6, "8 11 12 9", "21 9", 0, 0)]
    [InlineData("8 11 12 9", "21 9", 5, "8 12 9", "21 9", 1, 0)]
    [InlineData("8 11 12 9", "21 22 9", 4, "8 9", "21 9", 1, 1)]
    [InlineData("8 9", "21 22 9", 4, "8 9", "21 9", 0, 1)]
    [InlineData("11 12 13 9", "21 9", 4, "13 9", "21 9", 1, 0)] // no special token at the start
    public void What_stands_between_prompt_and_answer_is_kept(
        string prompt, string answers, int maxLength, string expectedPrompt, string expectedAnswers, int promptCount, int answerCount)
    {
        var (list, cut) = new ListTruncation(new SpecialTokenRule([8], [9], [9], 1), maxLength).Truncate(List(prompt, answers));
        Assert.Equal(expectedPrompt, string.Join(' ', list.PromptIds));
        Assert.Equal(expectedAnswers, string.Join('|', list.AnswerIds.Select(ids => string.Join(' ', ids))));
        Assert.Equal(new TruncationCount(promptCount, answerCount), cut);
    }

    [Fact]
    public void Scores_source_and_token_type_stay()
    {
        var list = List("1 11", "21 2|22 2") with { Source = new SourceLine("lists.jsonl", 3), AnswerTokenType = 1 };
        var cut = new ListTruncation(rule, 3).Truncate(list).List;
        Assert.Same(list.Scores, cut.Scores);
        Assert.Equal(list.Source, cut.Source);
        Assert.Equal(1, cut.AnswerTokenType);
    }

    [Fact]
    public void A_list_that_fits_is_the_same_list()
    {
        var list = List("1 11", "21 2|22 2");
        Assert.Same(list, new ListTruncation(rule, 4).Truncate(list).List);
    }

    [Theory]
    [InlineData("1", "5 6", "2", 4, 5)]
    [InlineData("1", "", "2", 2, 3)]
    [InlineData("1", "", "", 1, 2)]
    [InlineData("", "", "", 0, 1)]
    public void A_maximum_without_room_for_an_answer_is_an_error(string before, string between, string after, int maxLength, int least)
    {
        var special = new SpecialTokenRule(Ids(before), Ids(between), Ids(after));
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => new ListTruncation(special, maxLength));
        Assert.StartsWith($"expected at least {least}: {least - 1} special tokens and one token of the answer", error.Message);
        Assert.Equal(least, new ListTruncation(special, least).MaxLength);
    }

    [Fact]
    public void Counts_add_up() =>
        Assert.Equal(new TruncationCount(4, 6), new TruncationCount(1, 2) + new TruncationCount(3, 4));

    private static TokenizedList List(string prompt, string answers)
    {
        int[][] answerIds = [.. answers.Split('|').Select(Ids)];
        return new TokenizedList(Ids(prompt), answerIds, RankedList.ScoresOfOrder(answerIds.Length));
    }

    private static int[] Ids(string text) => [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse)];
}
