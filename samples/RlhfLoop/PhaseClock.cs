using System.Diagnostics;
using System.Globalization;

namespace RlhfLoop;

/// <summary>Says what was done, and how long that took.</summary>
internal sealed class PhaseClock
{
    private readonly Stopwatch watch = Stopwatch.StartNew();
    private TimeSpan before;

    /// <summary>Prints a line with the seconds since the last one.</summary>
    public void Print(FormattableString what)
    {
        var seconds = (watch.Elapsed - before).TotalSeconds;
        Console.WriteLine(FormattableString.Invariant($"{what.ToString(CultureInfo.InvariantCulture)} ({seconds:F1} s)"));
        before = watch.Elapsed;
    }

    /// <summary>Prints the seconds of all.</summary>
    public void PrintTotal() => Console.WriteLine(FormattableString.Invariant(
        $"{watch.Elapsed.TotalSeconds:F1} s in all, and {Environment.CpuUsage.TotalTime.TotalSeconds:F1} s of processor time"));
}
