using RewardModel.Lists;

namespace RewardModel.Tests.Lists;

public class EqualAnswersTests
{
    [Fact]
    public void Lists_with_equal_answers_are_counted_and_the_first_are_named()
    {
        TokenizedList different = new([1], [[2], [3]], [1, 0], new SourceLine("train.jsonl", 1));
        TokenizedList Equal(int line) => new([1], [[2], [3], [2]], [2, 1, 0], new SourceLine("train.jsonl", line));
        Assert.Null(EqualAnswers.Describe([different, different]));
        Assert.Equal(
            "2 of 3 training lists have answers that are equal token for token (train.jsonl:4, train.jsonl:17): such answers form no pair",
            EqualAnswers.Describe([Equal(4), different, Equal(17)], "training lists"));
        Assert.Equal(
            "6 of 6 lists have answers that are equal token for token "
            + "(train.jsonl:1, train.jsonl:2, train.jsonl:3, train.jsonl:4, train.jsonl:5, ...): such answers form no pair",
            EqualAnswers.Describe([.. Enumerable.Range(1, 6).Select(Equal)]));
    }
}
