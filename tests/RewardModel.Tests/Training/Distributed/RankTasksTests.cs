using RewardModel.Lists;
using RewardModel.Scoring;
using RewardModel.Tests.Distributed;
using RewardModel.Training.Distributed;

namespace RewardModel.Tests.Training.Distributed;

/// <summary>Ranks that are stopped: they stop at the same place, or the calls of one would meet others of another.</summary>
[Collection(nameof(RunsAlone))]
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

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Work_of_the_first_rank_is_cancelled_on_all_or_on_none(bool isCancelled)
    {
        using var stop = new CancellationTokenSource();
        if (isCancelled)
            stop.Cancel();
        var cancelled = 0;
        ThreadCollective.Run(3, ranks =>
        {
            try
            {
                ranks.FirstWorks(
                    () =>
                    {
                        stop.Token.ThrowIfCancellationRequested();
                        return [];
                    },
                    "lists");
            }
            catch (OperationCanceledException)
            {
                Interlocked.Increment(ref cancelled);
            }
            Assert.Equal([0, 1, 2], ranks.Gather([(byte)ranks.Rank], "what comes next").Select(bytes => (int)bytes[0]));
        });
        Assert.Equal(isCancelled ? 3 : 0, cancelled);
    }

    [Theory]
    [InlineData(Sharding.None)]
    [InlineData(Sharding.Parameters)]
    public void One_rank_that_is_to_stop_stops_an_evaluation_on_all(Sharding sharding) => ThreadCollective.Run(2, ranks =>
    {
        TokenizedList[] lists = [TinyModel.List(1, 3, 4, 2), TinyModel.List(2, 3, 4, 5), TinyModel.List(3, 7, 4, 2)];
        using var stop = new CancellationTokenSource();
        if (ranks.Rank == 1)
            stop.Cancel();
        using var model = RankTrainingTests.Llama();
        using var trained = new TrainedWeights(model, ranks, sharding);
        var scorer = new RewardScorer(model, 100);
        Assert.Throws<OperationCanceledException>(() => SharedScoring.Score(scorer, trained, lists, null, stop.Token));
        Assert.Equal(lists.Length, SharedScoring.Score(scorer, trained, lists, null, CancellationToken.None).Rewards.Length);
    });
}
