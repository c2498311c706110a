using RewardModel.Lists;

namespace RewardModel.Tests.Lists;

public class CountedTests
{
    [Theory]
    [InlineData(0, "0 lists have")]
    [InlineData(1, "1 list has")]
    [InlineData(2, "2 lists have")]
    [InlineData(12345, "12345 lists have")]
    public void Numbers_agree_with_their_nouns_and_verbs(long count, string expected) =>
        Assert.Equal(expected, $"{Counted.Of(count, "list")} {Counted.Verb(count, "has", "have")}");
}
