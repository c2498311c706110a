using System.Diagnostics;
using RewardModel.Distributed;

namespace RewardModel.Tests.Distributed;

/// <summary>Runs <see cref="RankProgram"/>, or other programs, in several processes, by the launchers that are installed.</summary>
internal static class MpiRun
{
    private static readonly TimeSpan limit = TimeSpan.FromSeconds(60);

    private static readonly Dictionary<MpiImplementation, string> launchers = Find();

    /// <summary>Whose launchers are installed.</summary>
    public static IReadOnlyCollection<MpiImplementation> Installed => launchers.Keys;

    public static string? SkipReason(params IEnumerable<MpiImplementation> needs) =>
        needs.FirstOrDefault(one => !launchers.ContainsKey(one), (MpiImplementation)(-1)) is var missing and >= 0
            ? $"there is no mpirun of {missing} on this machine (install openmpi-bin, and mpich beside it)" : null;

    /// <summary>What the ranks have written, their launcher's exit code, and how long it took.</summary>
    public static (int ExitCode, string Output, string Error, TimeSpan Time) Ranks(
        MpiImplementation implementation, int count, (string Name, string Value)[] environment, params IEnumerable<string> arguments)
    {
        var start = StartInfo(implementation, ["-n", $"{count}", "dotnet", ChildProgram.Assembly, "ranks", .. arguments]);
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        var clock = Stopwatch.StartNew();
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        if (!process.WaitForExit(limit))
            process.Kill(entireProcessTree: true);
        process.WaitForExit();
        return (process.ExitCode, output.Result, error.Result, clock.Elapsed);
    }

    /// <summary>A launcher that can be started here, of programs that it is told to start.</summary>
    public static ProcessStartInfo StartInfo(MpiImplementation implementation, IEnumerable<string> programs)
    {
        string[] options = implementation == MpiImplementation.OpenMpi
            ? ["--allow-run-as-root", "--oversubscribe", "--bind-to", "none"] : [];
        var start = new ProcessStartInfo(launchers[implementation], [.. options, .. programs])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["OMPI_ALLOW_RUN_AS_ROOT"] = start.Environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1";
        start.Environment.Remove(Mpi.LibraryVariable);
        // Open MPI gives ranks a terminal, which .NET would set up.
        start.Environment["TERM"] = "dumb";
        return start;
    }

    /// <summary>What the ranks print, which all end well.</summary>
    public static string Output(MpiImplementation implementation, int count, params IEnumerable<string> arguments)
    {
        var (exitCode, output, error, _) = Ranks(implementation, count, [], arguments);
        Assert.True(exitCode == 0, output + error);
        return output;
    }

    private static Dictionary<MpiImplementation, string> Find()
    {
        var found = new Dictionary<MpiImplementation, string>();
        // Debian's names where both are installed, then the usual ones.
        foreach (var program in new[] { "mpirun.openmpi", "mpirun.mpich", "mpirun", "mpiexec" })
            try
            {
                var text = ChildProcess.Run(program, "--version").Output;
                if (text.Contains("Open MPI", StringComparison.Ordinal))
                    found.TryAdd(MpiImplementation.OpenMpi, program);
                else if (text.Contains("HYDRA", StringComparison.Ordinal) || text.Contains("Intel", StringComparison.Ordinal))
                    found.TryAdd(MpiImplementation.Mpich, program);
            }
            catch (System.ComponentModel.Win32Exception)
            {
                // It is not there.
            }
        return found;
    }
}

/// <summary>A theory for each MPI that is installed; skipped where none is.</summary>
internal sealed class MpiTheoryAttribute : TheoryAttribute
{
    public MpiTheoryAttribute() => Skip = MpiRun.Installed.Count > 0 ? null! : MpiRun.SkipReason(MpiImplementation.OpenMpi)!;
}

/// <summary>A fact that needs an MPI.</summary>
internal sealed class MpiFactAttribute : FactAttribute
{
    public MpiFactAttribute() => Skip = MpiRun.Installed.Count > 0 ? null! : MpiRun.SkipReason(MpiImplementation.OpenMpi)!;
}

/// <summary>A fact that needs both MPIs.</summary>
internal sealed class BothMpisFactAttribute : FactAttribute
{
    public BothMpisFactAttribute() => Skip = MpiRun.SkipReason(MpiImplementation.OpenMpi, MpiImplementation.Mpich)!;
}
