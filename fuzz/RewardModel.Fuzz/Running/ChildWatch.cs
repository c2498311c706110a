using System.Diagnostics;
using System.Globalization;
using RewardModel.Fuzz.Targets;

namespace RewardModel.Fuzz.Running;

/// <summary>What came of a target.</summary>
internal sealed record TargetResult(long CaseCount, long EdgeCount, long CorpusCount, long PeakMegabytes, int FindingCount);

/// <summary>
/// Runs a target in a child process, and watches it: a case that takes too long or too much memory, or ends the process, is a finding, and
/// another child goes on.
/// </summary>
/// <param name="target">The target.</param>
/// <param name="folders">Where things are kept.</param>
/// <param name="seed">Decides all that is drawn.</param>
internal sealed class ChildWatch(FuzzTarget target, FuzzFolders folders, ulong seed)
{
    // Garbage that was not collected yet counts as well; the runtime's own limit is that of what is left.
    private const long MaxHeapBytes = 1L << 30, MaxMemoryBytes = 3L << 29;

    private const int MaxDeaths = 3;

    // Of a processor, as others may have the machine's; what waits for something takes none.
    private static readonly TimeSpan maxCaseTime = TimeSpan.FromSeconds(5), maxWaitTime = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan pollTime = TimeSpan.FromMilliseconds(50), minimizingTime = TimeSpan.FromSeconds(20);

    private long peakBytes;

    /// <summary>Runs the target.</summary>
    /// <param name="time">For all of its processes together.</param>
    public TargetResult Run(TimeSpan time)
    {
        var watch = Stopwatch.StartNew();
        var before = FindingCount();
        var path = Path.GetTempFileName();
        using var status = new StatusFile(path);
        try
        {
            for (var deaths = 0; deaths < MaxDeaths && watch.Elapsed < time;)
            {
                string[] arguments =
                [
                    "child", target.Name, path, folders.Root, $"{seed + (ulong)deaths}",
                    (time - watch.Elapsed).TotalSeconds.ToString(CultureInfo.InvariantCulture),
                ];
                if (Watched(arguments, status) is not { } death)
                    break;
                deaths++;
                Report(status.Input, death);
            }
            return new TargetResult(status.CaseCount, status.EdgeCount, status.CorpusCount, peakBytes >> 20, FindingCount() - before);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private int FindingCount() => Directory.GetFiles(folders.Findings, $"{target.Name}-????????.txt").Length;

    private void Report(byte[] input, string death)
    {
        var path = Path.GetTempFileName();
        try
        {
            using var status = new StatusFile(path);
            var kind = death.Split('\n')[0];
            var least = Minimizer.Minimized(
                input,
                smaller =>
                {
                    status.Input = smaller;
                    return Watched(["again", target.Name, path], status)?.Split('\n')[0] == kind;
                },
                minimizingTime);
            new Finding(target.Name, kind, least, death).Write(folders.Findings);
        }
        finally
        {
            File.Delete(path);
        }
    }

    /// <summary>Runs a child to its end.</summary>
    /// <returns>Why it did not end as it should, with what it has said; null where it did.</returns>
    private string? Watched(IReadOnlyList<string> arguments, StatusFile status)
    {
        using var child = Started(arguments, status);
        try
        {
            return Watched(child, status);
        }
        finally
        {
            FuzzFolders.RemoveScratch(child.Id, target.Name);
        }
    }

    private static Process Started(IReadOnlyList<string> arguments, StatusFile status)
    {
        status.CaseStart = 0;
        var information = new ProcessStartInfo(Environment.ProcessPath!, arguments) { RedirectStandardError = true, RedirectStandardOutput = true };
        information.Environment["DOTNET_GCHeapHardLimit"] = MaxHeapBytes.ToString("x", CultureInfo.InvariantCulture);
        information.Environment["DOTNET_gcServer"] = "0";
        information.Environment["DOTNET_DbgEnableMiniDump"] = "0";
        return Process.Start(information)!;
    }

    private string? Watched(Process child, StatusFile status)
    {
        var said = child.StandardError.ReadToEndAsync();
        _ = child.StandardOutput.ReadToEndAsync();
        var (begun, processorTime) = (0L, TimeSpan.Zero);
        while (!child.WaitForExit(pollTime))
        {
            var (bytes, used) = UseOf(child);
            peakBytes = Math.Max(peakBytes, bytes);
            if (status.CaseStart is var start && start != begun)
                (begun, processorTime) = (start, used);
            var reason = bytes > MaxMemoryBytes ? $"takes more than {MaxMemoryBytes >> 20} MB"
                : begun == 0 ? null
                : used - processorTime > maxCaseTime ? $"takes more than {maxCaseTime.TotalSeconds} seconds"
                : Environment.TickCount64 - begun > maxWaitTime.TotalMilliseconds ? $"waits for more than {maxWaitTime.TotalSeconds} seconds"
                : null;
            if (reason is null)
                continue;
            child.Kill();
            child.WaitForExit();
            return reason;
        }
        return child.ExitCode == 0 ? null : $"ends the process with {child.ExitCode}\n{said.GetAwaiter().GetResult()}";
    }

    private static (long Bytes, TimeSpan ProcessorTime) UseOf(Process child)
    {
        try
        {
            child.Refresh();
            return (child.WorkingSet64, child.TotalProcessorTime);
        }
        catch (InvalidOperationException)
        {
            // It has ended meanwhile.
            return default;
        }
    }
}
