using System.Diagnostics;
using System.Text.Json;

namespace RewardModel.GpuKit;

/// <summary>Runs one part in a process of its own: what it uses of the GPU's memory ends with it, and so does a crash.</summary>
internal static class Parts
{
    /// <summary>Begins the line of the output that has the result.</summary>
    public const string Mark = "RESULT ";

    private static readonly TimeSpan limit = TimeSpan.FromMinutes(3);

    /// <summary>The results of a program: one per marked line. What went wrong, if it ended otherwise.</summary>
    public static (IReadOnlyList<JsonElement> Results, string? Problem) Run(string program, params IEnumerable<string> arguments)
    {
        var results = new List<JsonElement>();
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
            process.OutputDataReceived += (_, line) =>
            {
                if (line.Data is not null && line.Data.StartsWith(Mark, StringComparison.Ordinal))
                    results.Add(JsonDocument.Parse(line.Data[Mark.Length..]).RootElement);
                else if (!string.IsNullOrEmpty(line.Data))
                    Console.WriteLine(line.Data);
            };
            process.BeginOutputReadLine();
            var isDone = process.WaitForExit(limit);
            if (!isDone)
                process.Kill(entireProcessTree: true);
            process.WaitForExit();
            return (results, !isDone ? $"stopped after {limit.TotalMinutes} minutes"
                : process.ExitCode != 0 ? $"ended with code {process.ExitCode}" : null);
        }
        catch (System.ComponentModel.Win32Exception exception)
        {
            return (results, exception.Message);
        }
    }
}
