namespace RewardModel.Training.Planning;

/// <summary>
/// Events of a simulation by their times; those of one time in the order in which they were added, so that every run is the same.
/// </summary>
internal sealed class EventQueue<T>
{
    private readonly PriorityQueue<T, (double Time, long Number)> queue = new();
    private long count;

    /// <summary>The time of the event that was taken last, in seconds.</summary>
    public double Now { get; private set; }

    /// <summary>Events that were added.</summary>
    public long AddedCount => count;

    /// <summary>Adds an event.</summary>
    /// <param name="delay">Seconds from now, from 0.</param>
    /// <param name="item">What happens then.</param>
    public void Add(double delay, T item)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(delay);
        queue.Enqueue(item, (Now + delay, count++));
    }

    /// <summary>Takes the next event, to which the time moves on.</summary>
    public T Next()
    {
        if (!queue.TryDequeue(out var item, out var priority))
            throw new InvalidOperationException("There is no event left.");
        Now = priority.Time;
        return item;
    }
}
