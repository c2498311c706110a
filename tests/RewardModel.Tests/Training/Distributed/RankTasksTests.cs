using RewardModel.Tests.Distributed;
using RewardModel.Training.Distributed;

namespace RewardModel.Tests.Training.Distributed;

public class RankTasksTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void What_the_first_rank_finds_the_others_are_told(int size)
    {
        var told = new byte[size][];
        var workCount = 0;
        ThreadCollective.Run(size, ranks => told[ranks.Rank] = ranks.FirstWorks(
            () =>
            {
                Interlocked.Increment(ref workCount);
                return [1, 0, 7];
            }, "a test"));
        Assert.Equal(1, workCount);
        Assert.All(told, bytes => Assert.Equal([1, 0, 7], bytes));
    }
}
