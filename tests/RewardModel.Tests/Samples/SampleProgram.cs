using System.Diagnostics;

namespace RewardModel.Tests.Samples;

/// <summary>A program under <c>samples/</c>: built once, then run as often as wanted.</summary>
internal sealed class SampleProgram
{
    public static readonly SampleProgram GenerateSortingTask = new(nameof(GenerateSortingTask));
    public static readonly SampleProgram TrainFromCode = new(nameof(TrainFromCode));
    public static readonly SampleProgram ScoreFromCode = new(nameof(ScoreFromCode));
    public static readonly SampleProgram RlhfLoop = new(nameof(RlhfLoop));
    public static readonly SampleProgram BestOfN = new(nameof(BestOfN));
    public static readonly SampleProgram PreferencePairs = new(nameof(PreferencePairs));
    public static readonly SampleProgram ServeAndRank = new(nameof(ServeAndRank));

    // They have the library's projects in common, and two builds of one project at once disturb each other.
    private static readonly Lock building = new();

    private readonly Lazy<string> program;

    private SampleProgram(string name) => program = new(() => Build(name));

    public (int ExitCode, string Output, string Error) Run(params IEnumerable<string> arguments) =>
        ChildProcess.Run("dotnet", [program.Value, .. arguments]);

    /// <summary>Starts the program, which the caller ends; what it prints is the caller's to read.</summary>
    public Process Start(params IEnumerable<string> arguments) =>
        Process.Start(new ProcessStartInfo("dotnet", [program.Value, .. arguments]) { RedirectStandardOutput = true })!;

    private static string Build(string name)
    {
        var folder = Path.Combine(Shared.RepositoryRoot, "samples", name);
        lock (building)
        {
            var (exitCode, output, _) = ChildProcess.Run(
                "dotnet", ["build", folder, "--configuration", ChildProcess.Configuration, .. ChildProcess.WithoutBuildServers]);
            Assert.True(exitCode == 0, output);
        }
        return Path.Combine(folder, "bin", ChildProcess.Configuration, "net10.0", $"{name}.dll");
    }
}
