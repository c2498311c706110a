using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;

namespace RewardModel.Training.Data;

/// <summary>Enumerates on another thread, some items ahead of who takes them.</summary>
internal static class ReadAhead
{
    /// <summary>The same items in the same order; what the enumeration throws is thrown where its item would come.</summary>
    /// <param name="items">Enumerated by one other thread, until all were taken or no more are wanted.</param>
    /// <param name="count">How many are held at most.</param>
    public static IEnumerable<T> Of<T>(IEnumerable<T> items, int count)
    {
        using var ready = new BlockingCollection<T>(count);
        using var stop = new CancellationTokenSource();
        var reading = Task.Run(() =>
        {
            try
            {
                foreach (var item in items)
                    ready.Add(item, stop.Token);
            }
            finally
            {
                ready.CompleteAdding();
            }
        });
        try
        {
            foreach (var item in ready.GetConsumingEnumerable())
                yield return item;
        }
        finally
        {
            stop.Cancel();
            // Nothing of the enumeration goes on when this one has ended. What it threw is told below, or nobody asks for it any more.
            ((IAsyncResult)reading).AsyncWaitHandle.WaitOne();
        }
        if (reading.Exception is { } exception)
            ExceptionDispatchInfo.Throw(exception.InnerException!);
    }
}
