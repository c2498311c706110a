using System.Diagnostics;
using System.Globalization;

namespace RewardModel.Bench;

/// <summary>Memory of this process as Linux tells it, in bytes; where it doesn't, 0, and the peak is that since the process's start.</summary>
internal static class ProcessMemory
{
    private const string statusFile = "/proc/self/status", sharesFile = "/proc/self/smaps_rollup", resetFile = "/proc/self/clear_refs";

    /// <summary>The most that was resident since <see cref="ResetPeak"/>.</summary>
    public static long Peak => Field(statusFile, "VmHWM") is > 0 and var peak ? peak : Process.GetCurrentProcess().PeakWorkingSet64;

    /// <summary>What is resident of memory that belongs to this process alone, and of files, whose pages are the system's.</summary>
    public static (long Anonymous, long OfFiles) Resident => (Field(statusFile, "RssAnon"), Field(statusFile, "RssFile"));

    /// <summary>What is resident, a page that n processes have mapped counted as an n-th.</summary>
    public static long ProportionalShare => Field(sharesFile, "Pss");

    /// <summary>The peak counts from now on.</summary>
    public static void ResetPeak()
    {
        if (File.Exists(resetFile))
            File.WriteAllText(resetFile, "5");
    }

    private static long Field(string file, string name) => !File.Exists(file)
        ? 0
        : File.ReadLines(file).Where(line => line.StartsWith(name + ":", StringComparison.Ordinal))
            .Select(line => long.Parse(line[(name.Length + 1)..^"kB".Length], CultureInfo.InvariantCulture) * 1024).FirstOrDefault();
}
