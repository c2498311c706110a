using RewardModel.Distributed;

namespace RewardModel.Training.Distributed;

/// <summary>What ranks agree on, and what one of them does for all.</summary>
internal static class RankTasks
{
    /// <summary>What the first rank tells of its work.</summary>
    private const byte isAtWork = 0, isDone = 1, isCancelled = 2;

    /// <summary>How often the first rank tells the others that it is still at work.</summary>
    private static readonly TimeSpan signOfLife = TimeSpan.FromSeconds(5);

    /// <summary>Whether something is so on any rank.</summary>
    public static bool IsAny(this ICollective ranks, bool isOwn, string purpose) =>
        ranks.Size == 1 ? isOwn : ranks.Gather([(byte)(isOwn ? 1 : 0)], purpose).Any(bytes => bytes[0] == 1);

    /// <summary>What the first rank does, such as renaming files, while the others wait. Takes less time than a watchdog allows.</summary>
    public static void FirstDoes(this ICollective ranks, Action action)
    {
        if (ranks.Rank == 0)
            action();
        if (ranks.Size > 1)
            ranks.Gather([], "what the first rank does alone");
    }

    /// <summary>
    /// The same of what may take as long as it likes, on a thread of its own. If it is cancelled on the first rank, it is so on all of
    /// them.
    /// </summary>
    /// <returns>What the first rank tells the others.</returns>
    public static byte[] FirstWorks(this ICollective ranks, Func<byte[]> action, string purpose)
    {
        if (ranks.Size == 1)
            return action();
        if (ranks.Rank > 0)
            while (true)
                switch (ranks.Gather([], purpose)[0])
                {
                    case [isDone, .. var told]:
                        return told;
                    case [isCancelled]:
                        throw new OperationCanceledException();
                }
        var work = Task.Factory.StartNew(action, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        while (!((IAsyncResult)work).AsyncWaitHandle.WaitOne(signOfLife))
            ranks.Gather([isAtWork], purpose);
        byte[] result;
        try
        {
            result = work.GetAwaiter().GetResult();
        }
        catch (OperationCanceledException)
        {
            ranks.Gather([isCancelled], purpose);
            throw;
        }
        ranks.Gather([isDone, .. result], purpose);
        return result;
    }

    /// <summary>
    /// How many threads this rank computes with: the processors that it may use, divided among the ranks of its machine that may use the same.
    /// A launcher may have bound each rank to processors of its own.
    /// </summary>
    public static int ThreadsOf(this ICollective ranks)
    {
        if (ranks.Size == 1)
            return Environment.ProcessorCount;
        var own = Affinity();
        ulong all = 0;
        foreach (var bytes in ranks.Gather([.. BitConverter.GetBytes(own), .. System.Text.Encoding.UTF8.GetBytes(Environment.MachineName)], "processors"))
            if (System.Text.Encoding.UTF8.GetString(bytes, sizeof(ulong), bytes.Length - sizeof(ulong)) == Environment.MachineName)
                all |= BitConverter.ToUInt64(bytes);
        // More than 64 processors have no mask.
        var count = all == 0 ? Environment.ProcessorCount : System.Numerics.BitOperations.PopCount(all);
        return Math.Max(1, Math.Min(Environment.ProcessorCount, count / ranks.LocalSize));
    }

    private static ulong Affinity()
    {
        if (Environment.ProcessorCount > 64 || !(OperatingSystem.IsLinux() || OperatingSystem.IsWindows()))
            return 0;
        using var process = System.Diagnostics.Process.GetCurrentProcess();
        return (ulong)process.ProcessorAffinity;
    }
}
