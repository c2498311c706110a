using System.Runtime.ExceptionServices;

namespace RewardModel.Tokenizers;

/// <summary>Does the same to many items on several threads.</summary>
internal static class Batch
{
    /// <summary>The results in the order of the items.</summary>
    /// <param name="items">The items.</param>
    /// <param name="maxThreads">The most threads that work at once, from 1.</param>
    /// <param name="map">What is done to an item, by several threads at a time.</param>
    /// <exception cref="Exception">What <paramref name="map"/> throws for the first of the items for which it throws.</exception>
    public static TResult[] Map<TItem, TResult>(IReadOnlyList<TItem> items, int maxThreads, Func<TItem, TResult> map)
    {
        var results = new TResult[items.Count];
        var failures = new ExceptionDispatchInfo?[items.Count];
        Parallel.For(0, items.Count, new ParallelOptions { MaxDegreeOfParallelism = maxThreads }, (i, loop) =>
        {
            try
            {
                results[i] = map(items[i]);
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
