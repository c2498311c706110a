using System.Diagnostics;
using System.Runtime.InteropServices;

namespace RewardModel.Jinja;

/// <summary>
/// The time that the current thread has worked. A process that is stopped for a while, or a busy machine, doesn't make it longer, so what is
/// refused for taking too long is refused everywhere. Where the system doesn't tell it, the time that has passed.
/// </summary>
internal static partial class ThreadTime
{
    // CLOCK_THREAD_CPUTIME_ID of clock_gettime(2) on Linux.
    private const int threadClock = 3;

    public static TimeSpan Now => OperatingSystem.IsLinux() && GetTime(threadClock, out var time) == 0
        ? TimeSpan.FromSeconds(time.Seconds) + TimeSpan.FromTicks(time.Nanoseconds / TimeSpan.NanosecondsPerTick)
        : Stopwatch.GetElapsedTime(0);

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int GetTime(int clock, out Time time);

    private struct Time
    {
        public nint Seconds;
        public nint Nanoseconds;
    }
}
