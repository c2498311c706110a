using System.CommandLine;
using System.Runtime.InteropServices;
using RewardModel.Training.Records;
using RewardModel.Training.Runs;

namespace RewardModel.Cli;

/// <summary><c>reward-model watch</c>: the report of a running training in a browser.</summary>
internal static class WatchCommand
{
    private const int highestPort = 65_535;

    public static Command Create(TextWriter output)
    {
        var directory = new Argument<string>("DIR") { Description = "Output directory of a training run." };
        var port = CommonOptions.Value("--port", "N", "Port of this machine to serve at. 0: any that is free.", 0);
        var command = new Command("watch", "Serves the report of a running training to a browser on this machine, where it renews itself.")
        {
            directory, port,
        };
        command.Validators.Add(result =>
        {
            if (result.GetValue(port) is < 0 or > highestPort)
                result.AddError($"--port is {result.GetValue(port)}; expected a number from 0 (any that is free) to {highestPort}.");
        });
        command.SetAction(async (parsed, _) =>
        {
            var path = parsed.GetValue(directory)!;
            if (!Directory.Exists(path))
                throw new RunDirectoryException($"There is no directory '{path}'; give the output directory of a training run.");
            using var stop = new CancellationTokenSource();
            void OnSignal(PosixSignalContext signal)
            {
                signal.Cancel = true;
                stop.Cancel();
            }
            using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
            using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
            using var server = new ReportServer(() => RunRecords.Read(path), () => DirectoryVersion.Of(path), parsed.GetValue(port));
            await output.WriteLineAsync($"{server.Address} (Ctrl-C ends it)");
            await server.Serve(stop.Token);
            return 0;
        });
        return command;
    }
}
