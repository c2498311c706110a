using Microsoft.Extensions.Logging;
using RewardModel.Kernels;
using RewardModel.Training;

namespace RewardModel.Tests.Kernels;

public class TorchLibrariesTests
{
    private static readonly string natives = Path.Combine(AppContext.BaseDirectory, "runtimes/linux-x64/native");

    [Fact]
    public void Libtorch_comes_from_the_application_and_the_wrapper_from_memory_where_the_system_refuses_its_file()
    {
        Assert.StartsWith($"libtorch comes from {natives}", TorchLibraries.Description);
        var mapped = File.ReadLines("/proc/self/maps").Select(line => line.Split(' ', 6, StringSplitOptions.RemoveEmptyEntries))
            .Where(fields => fields.Length == 6).Select(fields => fields[5]).Distinct()
            .Where(file => file.Contains("libLibTorchSharp", StringComparison.Ordinal));
        var isCopy = TorchLibraries.Description.EndsWith("so a copy that does not ask was loaded from memory", StringComparison.Ordinal);
        Assert.Equal([isCopy ? "/memfd:libLibTorchSharp.so (deleted)" : Path.Combine(natives, "libLibTorchSharp.so")], mapped);
    }

    [Fact]
    public void What_is_loaded_is_not_asked_for_twice()
    {
        TorchLibraries.Load();
        TorchLibraries.Require();
    }

    [Fact]
    public void A_trainer_logs_it_for_whom_details_are_wanted()
    {
        var log = new DebugLog();
        using var model = TinyModel.Create();
        _ = new Trainer(model, new TrainingOptions { Steps = 1 }, [TinyModel.List(1, 2, 1, 1)], [], logger: log);
        Assert.Equal([TorchLibraries.Description], log.Messages);
    }

    [Fact]
    public async Task Processes_that_start_together_load_it_without_a_folder_that_they_may_write_in()
    {
        // Nobody makes files in /proc, not even the root user.
        var runs = Enumerable.Range(0, 3).Select(_ => Task.Run(() => ChildProgram.Run(
            [("HOME", "/proc"), ("TMPDIR", "/proc"), ("DOTNET_EnableDiagnostics", "0")], "libraries")));
        Assert.All(await Task.WhenAll(runs), output => Assert.Equal($"{TorchLibraries.Description}\n3", output));
    }

    [Fact]
    public void The_application_s_own_libtorch_comes_before_that_of_the_variable()
    {
        var output = ChildProgram.Run([("LIBTORCH", "/proc")], "libraries");
        Assert.StartsWith(
            $"libtorch comes from {natives}; LIBTORCH is not used, for the application brings a libtorch", output);
        Assert.EndsWith("\n3", output);
    }

    private sealed class DebugLog : ILogger
    {
        public List<string> Messages { get; } = [];

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (logLevel == LogLevel.Debug)
                Messages.Add(formatter(state, exception));
        }
    }
}
