using System.Collections.Concurrent;

namespace RewardModel.Tests.Client;

/// <summary>A clock on which no wait below a minute takes any time; longer ones never end.</summary>
internal sealed class HurriedClock : TimeProvider
{
    /// <summary>The waits that took no time.</summary>
    public ConcurrentQueue<TimeSpan> Waits { get; } = [];

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var isShort = dueTime < TimeSpan.FromMinutes(1);
        if (isShort)
            Waits.Enqueue(dueTime);
        return System.CreateTimer(callback, state, isShort ? TimeSpan.Zero : Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }
}
