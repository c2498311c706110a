using System.Diagnostics;
using RewardModel.Cli;

namespace RewardModel.Tests.Cli;

public class WatchCommandTests
{
    [Fact]
    public async Task It_serves_until_it_is_interrupted()
    {
        using var directory = new TemporaryDirectory();
        Directory.CreateDirectory(directory["my-run/training"]);
        File.WriteAllText(
            directory["my-run/training/log.jsonl"],
            """{"step":1,"step_count":2,"epoch":0.5,"loss":0.6,"accuracy":0.7,"learning_rate":0.1,"gradient_norm":1,"tokens":5,"tokens_seen":5,"tokens_per_second":9,"time_left":"00:00:01"}""");
        // What a shell starts in the background ignores this signal, and so do its children, unless they are told otherwise.
        string[] arguments = ["--default-signal=INT", "dotnet", typeof(CommandLine).Assembly.Location, "watch", directory["my-run"]];
        using var process = Process.Start(new ProcessStartInfo("env", arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var line = await process.StandardOutput.ReadLineAsync();
        Assert.Matches(@"^http://127\.0\.0\.1:\d+/ \(Ctrl-C ends it\)$", line);
        using (var client = new HttpClient())
            Assert.Contains("<h1 dir=\"auto\">my-run</h1>", await client.GetStringAsync(line!.Split(' ')[0]));
        Assert.Equal(0, ChildProcess.Run("sh", ["-c", $"kill -INT {process.Id}"]).ExitCode);
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal((0, ""), (process.ExitCode, await process.StandardError.ReadToEndAsync()));
    }

    [Fact]
    public void A_directory_that_is_not_there_and_a_port_that_is_none_are_refused()
    {
        using var directory = new TemporaryDirectory();
        Assert.Equal(
            (1, $"error: There is no directory '{directory["none"]}'; give the output directory of a training run.\n"), Run("watch", directory["none"]));
        Assert.Equal(
            (2, "error: --port is 70000; expected a number from 0 (any that is free) to 65535.\n"), Run("watch", directory.Path, "--port", "70000"));
    }

    private static (int Status, string Errors) Run(params string[] arguments)
    {
        using var errors = new StringWriter { NewLine = "\n" };
        return (CommandLine.Run(arguments, TextWriter.Null, errors), errors.ToString());
    }
}
