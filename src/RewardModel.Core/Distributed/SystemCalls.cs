using System.Runtime.InteropServices;
using System.Text;

namespace RewardModel.Distributed;

/// <summary>What ranks need of Linux that .NET has not, or not at once.</summary>
internal static unsafe partial class SystemCalls
{
    private const int actionBytes = 256;

    /// <summary>
    /// SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV. .NET makes exceptions of some, and prints what went wrong for the others.
    /// </summary>
    private static readonly int[] errorSignals = [4, 5, 6, 7, 8, 11];

    /// <summary>Writes a line to the error stream, in one piece: other ranks write there, too.</summary>
    public static void WriteError(string line)
    {
        var bytes = Encoding.UTF8.GetBytes(line + "\n");
        fixed (byte* start = bytes)
            _ = Write(2, start, (nuint)bytes.Length);
    }

    /// <summary>Ends the process without running anything more of it: a library that hangs could keep it.</summary>
    public static void EndProcess(int exitCode) => Exit(exitCode);

    /// <summary>
    /// Runs what may set handlers of its own for the signals of errors, as UCX does when it is loaded, and then sets those of before again:
    /// with others, a null reference would end the process.
    /// </summary>
    public static void KeepingErrorHandlers(Action action)
    {
        // A struct sigaction is smaller, and only given back as it is.
        var actions = stackalloc byte[actionBytes * errorSignals.Length];
        for (var i = 0; i < errorSignals.Length; i++)
            _ = SetAction(errorSignals[i], null, actions + i * actionBytes);
        try
        {
            action();
        }
        finally
        {
            for (var i = 0; i < errorSignals.Length; i++)
                _ = SetAction(errorSignals[i], actions + i * actionBytes, null);
        }
    }

    // write(2), _exit(2) and sigaction(2).
    [LibraryImport("libc", EntryPoint = "write")]
    private static partial nint Write(int file, byte* bytes, nuint count);

    [LibraryImport("libc", EntryPoint = "_exit")]
    private static partial void Exit(int exitCode);

    [LibraryImport("libc", EntryPoint = "sigaction")]
    private static partial int SetAction(int signal, byte* action, byte* previous);
}
