using System.Diagnostics;

namespace RewardModel.Fuzz.Running;

/// <summary>Makes an input small, while something is true of it: takes parts out, large ones first.</summary>
internal static class Minimizer
{
    /// <summary>A smaller input.</summary>
    /// <param name="input">What it is true of.</param>
    /// <param name="isTrue">Whether it is still true.</param>
    /// <param name="time">How long to try.</param>
    public static byte[] Minimized(byte[] input, Func<byte[], bool> isTrue, TimeSpan time)
    {
        var watch = Stopwatch.StartNew();
        var least = input;
        for (var length = Math.Max(least.Length / 2, 1); length > 0 && watch.Elapsed < time; length /= 2)
            for (var start = 0; start + length <= least.Length && watch.Elapsed < time;)
            {
                byte[] smaller = [.. least.AsSpan(0, start), .. least.AsSpan(start + length)];
                if (isTrue(smaller))
                    least = smaller;
                else
                    start += length;
            }
        return least;
    }
}
