using System.Diagnostics;
using System.Globalization;
using RewardModel.Cli;
using RewardModel.Distributed;
using RewardModel.Tests.Distributed;

namespace RewardModel.Tests.Cli;

/// <summary><c>reward-model train</c> as several processes of a launcher, which tests watch, signal and wait for.</summary>
internal sealed class TrainingRanks : IDisposable
{
    /// <summary>The variables by which launchers tell processes their ranks.</summary>
    private static readonly string[] rankVariables = ["OMPI_COMM_WORLD_RANK", "PMI_RANK"];

    private static readonly TimeSpan longest = TimeSpan.FromMinutes(2);

    private static int startCount;

    /// <summary>Finds the processes: all of them have it in their environment, and no others.</summary>
    private readonly string mark = $"REWARD_MODEL_TEST={Environment.ProcessId}-{Interlocked.Increment(ref startCount)}";
    private readonly Process launcher;
    private readonly Task<string> output, error;

    private TrainingRanks(MpiImplementation implementation, IEnumerable<string> programs, params (string Name, string Value)[] environment)
    {
        var start = MpiRun.StartInfo(implementation, programs);
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        var parts = mark.Split('=');
        start.Environment[parts[0]] = parts[1];
        launcher = Process.Start(start)!;
        launcher.StandardInput.Close();
        (output, error) = (launcher.StandardOutput.ReadToEndAsync(), launcher.StandardError.ReadToEndAsync());
    }

    /// <summary>Whose launcher starts ranks where a test needs only one: the first that is installed.</summary>
    public static MpiImplementation Usual => MpiRun.Installed.Order().First();

    /// <summary>Starts as many ranks of one command.</summary>
    public static TrainingRanks Start(int count, params IEnumerable<string> arguments) => Start(Usual, count, arguments);

    /// <inheritdoc cref="Start(int, IEnumerable{string})"/>
    public static TrainingRanks Start(MpiImplementation implementation, int count, IEnumerable<string> arguments) =>
        new(implementation, ["-n", $"{count}", .. Program(arguments)]);

    /// <summary>Starts ranks with a variable in their environment.</summary>
    public static TrainingRanks StartWith((string Name, string Value) variable, int count, IEnumerable<string> arguments) =>
        new(Usual, ["-n", $"{count}", .. Program(arguments)], variable);

    /// <summary>Starts one rank of each command, each in a directory of its own.</summary>
    public static TrainingRanks StartEach(params (string Directory, string[] Arguments)[] ranks) =>
        new(Usual, ranks.SelectMany((rank, i) =>
            (string[])[.. i == 0 ? [] : (string[])[":"], "-n", "1", "-wdir", rank.Directory, .. Program(rank.Arguments)]));

    /// <summary>The process of a rank, once it has come so far that there is one.</summary>
    public int ProcessOf(int rank)
    {
        int? found = null;
        WaitUntil(() =>
            (found = Processes().Where(process => process.Rank == rank).Select(process => (int?)process.Id).FirstOrDefault()) is not null);
        return found!.Value;
    }

    /// <summary>Sends a signal to a rank: KILL, TERM, STOP.</summary>
    public void Signal(string name, int rank) =>
        Assert.Equal(0, ChildProcess.Run("kill", $"-{name}", $"{ProcessOf(rank)}").ExitCode);

    /// <summary>Looks again and again, without a pause, until something is so. Fails where the ranks end before.</summary>
    public void WaitUntil(Func<bool> isSo)
    {
        var clock = Stopwatch.StartNew();
        while (!isSo())
        {
            Assert.False(launcher.HasExited, "ended before: " + (launcher.HasExited ? error.Result + output.Result : ""));
            Assert.True(clock.Elapsed < longest, "has not come");
            Thread.Yield();
        }
    }

    /// <summary>Waits for a while, or for the end.</summary>
    public void WaitFor(TimeSpan time) => launcher.WaitForExit(time);

    /// <summary>Waits until all have ended: the launcher's exit code, what was written, and how long it has taken from now on.</summary>
    public (int ExitCode, string Output, string Error, TimeSpan Time) End()
    {
        var clock = Stopwatch.StartNew();
        Assert.True(launcher.WaitForExit(longest), "the launcher has not ended");
        launcher.WaitForExit();
        while (Processes().Any())
        {
            Assert.True(clock.Elapsed < longest, "a rank is still there");
            Thread.Yield();
        }
        return (launcher.ExitCode, output.Result, error.Result, clock.Elapsed);
    }

    public void Dispose()
    {
        if (!launcher.HasExited)
            launcher.Kill(entireProcessTree: true);
        foreach (var (id, _) in Processes())
            ChildProcess.Run("kill", "-KILL", $"{id}");
        launcher.Dispose();
    }

    private static IEnumerable<string> Program(IEnumerable<string> arguments) =>
        ["dotnet", typeof(CommandLine).Assembly.Location, .. arguments];

    /// <summary>The ranks that are running.</summary>
    private IEnumerable<(int Id, int Rank)> Processes()
    {
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
            if (int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id)
                && RankOf(folder) is { } rank)
                yield return (id, rank);
    }

    private int? RankOf(string folder)
    {
        try
        {
            // Hydra's proxy has the mark, too, and no rank; a launcher's child is a rank when it runs our program.
            if (!File.ReadAllText(Path.Combine(folder, "cmdline")).StartsWith("dotnet\0", StringComparison.Ordinal))
                return null;
            var variables = File.ReadAllText(Path.Combine(folder, "environ")).Split('\0');
            return variables.Contains(mark)
                ? variables.Select(variable => variable.Split('=', 2)).Where(pair => rankVariables.Contains(pair[0]))
                    .Select(pair => (int?)int.Parse(pair[1], CultureInfo.InvariantCulture)).FirstOrDefault()
                : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // It has ended meanwhile, or is another user's.
            return null;
        }
    }
}
