using RewardModel.Checkpoints;

namespace RewardModel.Tests.Checkpoints;

public sealed class ProblemListTests
{
    [Fact]
    public void No_problem_throws_nothing() => Assert.Null(Record.Exception(() => new ProblemList().ThrowIfAny("a", "b.")));

    [Theory]
    [InlineData(100, 100, "99")]
    [InlineData(102, 101, "and 2 more problems of this kind")]
    public void A_hundred_are_listed_and_the_rest_is_counted(int count, int listedCount, string last)
    {
        var problems = new ProblemList();
        for (var i = 0; i < count; i++)
            problems.Add($"{i}");
        var error = Assert.Throws<CheckpointException>(() => problems.ThrowIfAny("a", "b."));
        Assert.Equal(listedCount, error.Problems.Count);
        Assert.Equal(last, error.Problems[^1]);
    }
}
