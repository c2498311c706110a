using RewardModel.Checkpoints;

namespace RewardModel.Tests.Checkpoints;

public sealed class ProblemListTests
{
    [Fact]
    public void No_problem_throws_nothing() => Assert.Null(Record.Exception(() => new ProblemList().ThrowIfAny("a", "b.")));

    [Theory]
    [InlineData(100, 100, "99")]
    [InlineData(101, 101, "and more problems of this kind")]
    [InlineData(1000, 101, "and more problems of this kind")]
    public void A_hundred_are_listed_and_then_it_is_full(int count, int listedCount, string last)
    {
        var problems = new ProblemList();
        for (var i = 0; i < count; i++)
            problems.Add($"{i}");
        Assert.Equal(count > 100, problems.IsFull);
        var error = Assert.Throws<CheckpointException>(() => problems.ThrowIfAny("a", "b."));
        Assert.Equal(listedCount, error.Problems.Count);
        Assert.Equal(last, error.Problems[^1]);
    }
}
