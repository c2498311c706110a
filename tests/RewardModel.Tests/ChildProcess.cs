using System.Diagnostics;

namespace RewardModel.Tests;

/// <summary>Runs programs to their end.</summary>
internal static class ChildProcess
{
#if DEBUG
    public const string Configuration = "Debug";
#else
    public const string Configuration = "Release";
#endif

    /// <summary>Build servers would outlive the build and hold its output open.</summary>
    public static readonly string[] WithoutBuildServers = ["-nodeReuse:false", "-p:UseSharedCompilation=false"];

    public static (int ExitCode, string Output, string Error) Run(string program, params IEnumerable<string> arguments) =>
        Run(new ProcessStartInfo(program, arguments));

    public static (int ExitCode, string Output, string Error) Run(ProcessStartInfo start)
    {
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, error.Result);
    }
}
