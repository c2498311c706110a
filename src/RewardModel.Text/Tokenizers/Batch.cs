using System.Runtime.ExceptionServices;

namespace RewardModel.Tokenizers;

/// <summary>Does the same to many items on several threads.</summary>
internal static class Batch
{
    /// <summary>The results in the order of the items.</summary>
    /// <param name="items">The items.</param>
    /// <param name="maxThreads">The most threads that work at once, from 1.</param>
    /// <param name="map">What is done to an item, by several threads at a time.</param>
    /// <param name="report">Is told after every hundredth of the items how many are done, by one thread at a time.</param>
    /// <param name="cancellationToken">Ends the work before the next item.</param>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <exception cref="Exception">What <paramref name="map"/> throws for the first of the items for which it throws.</exception>
    public static TResult[] Map<TItem, TResult>(
        IReadOnlyList<TItem> items, int maxThreads, Func<TItem, TResult> map, Action<int>? report = null,
        CancellationToken cancellationToken = default)
    {
        var doneCount = 0;
        var reportEvery = Math.Max(1, items.Count / 100);
        var reportLock = new Lock();
        var results = new TResult[items.Count];
        var failures = new ExceptionDispatchInfo?[items.Count];
        var options = new ParallelOptions { MaxDegreeOfParallelism = maxThreads, CancellationToken = cancellationToken };
        Parallel.For(0, items.Count, options, (i, loop) =>
        {
            try
            {
                results[i] = map(items[i]);
                if (report is not null)
                    lock (reportLock)
                        if (++doneCount % reportEvery == 0 || doneCount == items.Count)
                            report(doneCount);
            }
            catch (Exception exception)
            {
                failures[i] = ExceptionDispatchInfo.Capture(exception);
                // Items before this one are still done, so that the failure that is told does not depend on who runs first.
                loop.Break();
            }
        });
        failures.FirstOrDefault(failure => failure is not null)?.Throw();
        return results;
    }
}
