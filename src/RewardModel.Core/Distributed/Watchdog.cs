using System.Diagnostics;
using System.Globalization;

namespace RewardModel.Distributed;

/// <summary>
/// Ends what waits for other ranks longer than a limit: one of them hangs. Time counts from when this rank has come to an operation.
/// </summary>
internal sealed class Watchdog : IDisposable
{
    private readonly object gate = new();
    private readonly TimeSpan limit;
    private readonly Action<string> end;
    private readonly Stopwatch clock = new();
    private RankProgress? progress;
    private long number;
    private string purpose = "";
    private bool isDisposed;

    /// <param name="limit">How long an operation may take.</param>
    /// <param name="end">Is told, on another thread, what has taken longer; ends the process.</param>
    public Watchdog(TimeSpan limit, Action<string> end)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(limit, TimeSpan.Zero);
        (this.limit, this.end) = (limit, end);
        new Thread(Watch) { IsBackground = true, Name = "watchdog of ranks" }.Start();
    }

    /// <summary>Operations are written down from now on.</summary>
    public void Follow(RankProgress ranks)
    {
        lock (gate)
            progress = ranks;
    }

    /// <summary>This rank has come to the next operation.</summary>
    public void Begin(string operation)
    {
        lock (gate)
        {
            number++;
            purpose = operation;
            progress?.Write(number, isOver: false, purpose);
            clock.Restart();
        }
    }

    /// <summary>The operation is done.</summary>
    public void End()
    {
        lock (gate)
        {
            clock.Reset();
            progress?.Write(number, isOver: true, purpose);
        }
    }

    public void Dispose()
    {
        lock (gate)
        {
            isDisposed = true;
            Monitor.PulseAll(gate);
        }
    }

    private void Watch()
    {
        var interval = TimeSpan.FromSeconds(Math.Min(1, limit.TotalSeconds / 8));
        string message;
        lock (gate)
        {
            while (clock.Elapsed <= limit)
            {
                if (isDisposed)
                    return;
                progress?.WriteAgain();
                Monitor.Wait(gate, interval);
            }
            message = Message();
        }
        end(message);
    }

    private string Message()
    {
        // Its time is that by which the others' are measured.
        progress?.WriteAgain();
        var who = progress?.Missing(number, limit / 2)
            ?? "which one is not known without a folder in which ranks write down how far they are";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"operation {number} ({purpose}) has taken {clock.Elapsed.TotalSeconds:0} s, and at most {limit.TotalSeconds:0.###} s were "
            + $"expected: another rank hangs, or computes much longer; {who}. All ranks are ended; look at what that one does, or "
            + $"set a longer limit.");
    }
}
