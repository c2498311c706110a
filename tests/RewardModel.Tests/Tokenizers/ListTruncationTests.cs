using RewardModel.Lists;
using RewardModel.Tokenizers;

namespace RewardModel.Tests.Tokenizers;

/// <summary>In all lists 1 is the beginning of a sequence and 2 its end.</summary>
public class ListTruncationTests
{
    private static readonly SpecialTokenRule rule = new([1], [], [2]);

    /// <summary>Expected are, for each answer, the prompt that it is read with and itself, and the tokens lost.</summary>
    [Theory]
    [InlineData("1 11 12 13", "21 2|22 23 2", 7, "1 11 12 13 > 21 2|1 11 12 13 > 22 23 2", 0, 0, 0)] // fits exactly
    [InlineData("1 11 12 13", "21 2|22 23 2", 6, "1 11 12 13 > 21 2|1 12 13 > 22 23 2", 1, 0, 0)]
    [InlineData("1 11 12 13", "21 2|22 23 2", 4, "1 13 > 21 2|1 > 22 23 2", 5, 0, 0)]
    [InlineData("1 11 12 13", "21 2|22 23 2", 3, "1 > 21 2|1 > 22 2", 6, 1, 1)]
    [InlineData("11 12 13", "21 2|22 23 2", 5, "11 12 13 > 21 2|12 13 > 22 23 2", 1, 0, 0)] // no special token at the start
    [InlineData("11 12 13", "21 2|22 23 2", 3, "13 > 21 2| > 22 23 2", 5, 0, 0)]
    [InlineData("1", "21 22 23|24 25 2", 3, "1 > 21 22|1 > 24 2", 0, 2, 2)] // no special token at the end of the first answer
    [InlineData("", "21 22 23 24 2", 4, " > 21 22 23 2", 0, 1, 1)]
    public void The_prompt_is_cut_at_its_start_for_each_answer_alone(
        string prompt, string answers, int maxLength, string expected, int lostOfPrompts, int cutAnswers, int lostOfAnswers)
    {
        var list = List(prompt, answers);
        var (truncated, cut) = new ListTruncation(rule, maxLength).Truncate(list);
        Assert.Equal(expected, Text(truncated));
        Assert.Same(list.PromptIds, truncated.PromptIds);
        Assert.Equal(
            new TruncationCount(
                new CutCount(Math.Min(1, lostOfPrompts), 1, lostOfPrompts, list.PromptIds.Length * list.AnswerIds.Count),
                new CutCount(cutAnswers, list.AnswerIds.Count, lostOfAnswers, list.AnswerIds.Sum(ids => ids.Length))),
            cut);
    }

    /// <summary>8 is [CLS], 9 is [SEP].</summary>
    [Theory]
    [InlineData("8 11 12 9", "21 9", 6, "8 11 12 9 > 21 9", 0, 0)]
    [InlineData("8 11 12 9", "21 9", 5, "8 12 9 > 21 9", 1, 0)]
    [InlineData("8 11 12 9", "21 22 9", 4, "8 9 > 21 9", 2, 1)]
    [InlineData("8 9", "21 22 9", 4, "8 9 > 21 9", 0, 1)]
    [InlineData("11 12 13 9", "21 9", 4, "13 9 > 21 9", 2, 0)] // no special token at the start
    public void What_stands_between_prompt_and_answer_is_kept(
        string prompt, string answers, int maxLength, string expected, int lostOfPrompts, int lostOfAnswers)
    {
        var (list, cut) = new ListTruncation(new SpecialTokenRule([8], [9], [9], 1), maxLength).Truncate(List(prompt, answers));
        Assert.Equal(expected, Text(list));
        Assert.Equal((lostOfPrompts, lostOfAnswers), (cut.Prompts.LostTokens, cut.Answers.LostTokens));
    }

    [Fact]
    public void An_answer_is_cut_as_it_is_alone()
    {
        var list = List("1 11 12 13 14 15", "21 2|22 23 2|24 25 26 27 28 29 2|30 2");
        for (var maxLength = 3; maxLength < 15; maxLength++)
        {
            var truncation = new ListTruncation(rule, maxLength);
            var alone = Enumerable.Range(0, 4).Select(k => Text(truncation.Truncate(list.WithAnswers([k])).List));
            Assert.Equal(string.Join('|', alone), Text(truncation.Truncate(list).List));
        }
    }

    [Fact]
    public void A_list_that_is_cut_already_is_cut_further_from_what_is_left()
    {
        var once = new ListTruncation(rule, 6).Truncate(List("1 11 12 13", "21 2|22 23 2")).List;
        var (twice, cut) = new ListTruncation(rule, 5).Truncate(once);
        Assert.Equal("1 12 13 > 21 2|1 13 > 22 23 2", Text(twice));
        Assert.Equal(new CutCount(1, 1, 2, 7), cut.Prompts);
        Assert.Same(once, new ListTruncation(rule, 6).Truncate(once).List);
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
    public void Counts_add_up_and_give_shares()
    {
        var sum = new TruncationCount(new CutCount(1, 4, 30, 100), new CutCount(0, 8, 0, 50))
            + new TruncationCount(new CutCount(0, 4, 0, 100), default);
        Assert.Equal(new TruncationCount(new CutCount(1, 8, 30, 200), new CutCount(0, 8, 0, 50)), sum);
        Assert.Equal((0.125, 0.15), (sum.Prompts.CutShare, sum.Prompts.LostTokenShare));
        Assert.Equal((0.0, 0.0), (default(CutCount).CutShare, default(CutCount).LostTokenShare));
        Assert.True(sum.IsCut);
        Assert.False(default(TruncationCount).IsCut);
        Assert.True(new TruncationCount(default, new CutCount(1, 1, 1, 2)).IsCut);
    }

    private static TokenizedList List(string prompt, string answers)
    {
        int[][] answerIds = [.. answers.Split('|').Select(Ids)];
        return new TokenizedList(Ids(prompt), answerIds, RankedList.ScoresOfOrder(answerIds.Length));
    }

    private static int[] Ids(string text) => [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse)];

    private static string Text(TokenizedList list) => string.Join('|', list.AnswerIds.Select(
        (ids, k) => $"{string.Join(' ', list.PromptOf(k))} > {string.Join(' ', ids)}"));
}
