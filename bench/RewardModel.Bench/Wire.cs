using System.Text.Json;

namespace RewardModel.Bench;

/// <summary>What the processes of all sides answer with: a line of JSON for each line that they read.</summary>
internal static class Wire
{
    public static void Answer(object value) => Console.WriteLine(JsonSerializer.Serialize(value));

    /// <summary>The most memory that this process has had at once, in MiB.</summary>
    public static double PeakMemory() =>
        double.Parse(File.ReadLines("/proc/self/status").First(line => line.StartsWith("VmHWM", StringComparison.Ordinal))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]) / 1024;
}
