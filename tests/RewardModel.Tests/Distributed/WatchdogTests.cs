using RewardModel.Distributed;

namespace RewardModel.Tests.Distributed;

public class WatchdogTests
{
    private static readonly TimeSpan limit = TimeSpan.FromSeconds(0.5);

    [Fact]
    public void What_takes_too_long_is_told_once_and_names_the_operation()
    {
        using var told = new BlockingMessages();
        using var watchdog = new Watchdog(limit, told.Add);
        watchdog.Begin("first");
        watchdog.End();
        watchdog.Begin("second");
        Assert.Equal(
            "operation 2 (second) has taken 1 s, and at most 0.5 s were expected: another rank hangs, or computes much longer; which one "
            + "is not known without a folder in which ranks write down how far they are. All ranks are ended; look at what that one does, "
            + "or set a longer limit.",
            told.Take());
        Assert.Equal("limit", Assert.Throws<ArgumentOutOfRangeException>(() => new Watchdog(TimeSpan.Zero, told.Add)).ParamName);
    }

    [Fact]
    public void Time_between_operations_does_not_count()
    {
        using var told = new BlockingMessages();
        using var watchdog = new Watchdog(limit, told.Add);
        watchdog.Begin("first");
        watchdog.End();
        Assert.Null(told.TakeWithin(2 * limit));
    }

    [Fact]
    public void Files_tell_which_ranks_have_not_come()
    {
        using var directory = new TemporaryDirectory();
        using var first = new RankProgress(directory["ranks"], 0, 4);
        using var second = new RankProgress(directory["ranks"], 1, 4);
        using var third = new RankProgress(directory["ranks"], 2, 4);
        Assert.Equal("of rank 1, 2, 3 nothing is known", first.Missing(7, limit));
        first.Write(7, isOver: false, "gradients");
        second.Write(7, isOver: false, "gradients");
        third.Write(6, isOver: true, $"loss\n{new string('e', 300)}");
        Assert.Matches(
            @"^rank 2 has done operation 6 \(loss e+\) 0 s ago, and no other since, all others have come to 7; of rank 3 nothing is known$",
            first.Missing(7, limit));
        Assert.Equal(256, new FileInfo(directory["ranks/rank-2"]).Length);
        third.Write(6, isOver: false, "loss");
        Assert.StartsWith("rank 2 has been at operation 6 (loss) for 0 s, ", first.Missing(7, limit));
        third.Write(7, isOver: false, "gradients");
        using var fourth = new RankProgress(directory["ranks"], 3, 4);
        fourth.Write(8, isOver: false, "weights");
        Assert.Equal("all ranks have come to it, so MPI or the network hangs", first.Missing(7, TimeSpan.FromHours(1)));
    }

    [Fact]
    public void A_rank_that_stands_still_is_told_from_one_that_waits()
    {
        using var directory = new TemporaryDirectory();
        using var first = new RankProgress(directory["ranks"], 0, 3);
        using var second = new RankProgress(directory["ranks"], 1, 3);
        using var third = new RankProgress(directory["ranks"], 2, 3);
        foreach (var rank in new[] { first, second, third })
            rank.Write(7, isOver: false, "gradients");
        void LetPass(int seconds)
        {
            // As though the files had been written so long before.
            foreach (var file in Directory.EnumerateFiles(directory["ranks"]))
                File.SetLastWriteTimeUtc(file, File.GetLastWriteTimeUtc(file).AddSeconds(-seconds));
        }

        LetPass(9);
        first.WriteAgain();
        second.WriteAgain();
        Assert.Equal(
            "rank 2 has come to it, too, but its process or its machine has stood still for 9 s, all others have come to 7",
            first.Missing(7, TimeSpan.FromSeconds(5)));
        third.Write(6, isOver: true, "loss");
        LetPass(9);
        first.WriteAgain();
        second.WriteAgain();
        Assert.Equal(
            "rank 2 has done operation 6 (loss) 9 s ago, and no other since (its process or its machine stands still), all others "
            + "have come to 7",
            first.Missing(7, TimeSpan.FromSeconds(5)));
    }

    private sealed class BlockingMessages : IDisposable
    {
        private readonly System.Collections.Concurrent.BlockingCollection<string> messages = [];

        public void Add(string message) => messages.Add(message);

        public string Take() => messages.Take();

        public string? TakeWithin(TimeSpan time) => messages.TryTake(out var message, time) ? message : null;

        public void Dispose() => messages.Dispose();
    }
}
