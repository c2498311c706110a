using System.Diagnostics;
using System.Text.Json.Nodes;
using RewardModel.Cli;
using RewardModel.Tests.Server;

namespace RewardModel.Tests.Cli;

public class ServeCommandTests
{
    [Theory]
    [InlineData("INT")]
    [InlineData("TERM")]
    public async Task It_serves_until_it_is_told_to_end_and_loads_again_when_asked(string signal)
    {
        using var directory = new TemporaryDirectory();
        TestServer.SaveModel(directory, "first", seed: 1);
        for (var seed = 2; seed <= 3; seed++)
            TestServer.SaveModel(directory, $"seed-{seed}", seed);
        // What a shell starts in the background ignores some signals, and so do its children, unless they are told otherwise.
        string[] arguments =
        [
            "--default-signal=INT,TERM,HUP", "REWARD_MODEL_API_KEYS=one, two", "dotnet", typeof(CommandLine).Assembly.Location, "serve",
            "--model", directory["first"], "--model", $"both={directory["seed-2"]},{directory["seed-3"]}", "--port", "0", "--threads", "1",
        ];
        using var process = Process.Start(new ProcessStartInfo("env", arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        try
        {
            var line = await process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(60));
            Assert.Matches(@"^http://127\.0\.0\.1:\d+ \(Ctrl-C ends it\): first \(llama\), both \(llama, 2 members\)$", line);
            using var client = new HttpClient { BaseAddress = new Uri(line!.Split(' ')[0]) };
            var ready = JsonNode.Parse(await client.GetStringAsync("/health/ready"))!;
            Assert.Equal([1, 2], ready["models"]!.AsArray().Select(model => (int)model!["member_count"]!));
            Assert.Contains("# TYPE ", await client.GetStringAsync("/metrics"));
            Send("HUP");
            foreach (var name in new[] { "first", "both" })
                Assert.Equal(
                    $"Model '{name}' was loaded again.", await process.StandardError.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(30)));
            Send(signal);
            await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(30));
            Assert.Equal(
                (0, "", ""), (process.ExitCode, await process.StandardOutput.ReadToEndAsync(), await process.StandardError.ReadToEndAsync()));
        }
        finally
        {
            process.Kill();
        }

        void Send(string name) => Assert.Equal(0, ChildProcess.Run("sh", ["-c", $"kill -{name} {process.Id}"]).ExitCode);
    }

    [Fact]
    public async Task Before_it_serves_the_signal_to_load_models_again_does_not_end_it()
    {
        using var directory = new TemporaryDirectory();
        Directory.CreateDirectory(directory["model"]);
        Assert.Equal(0, ChildProcess.Run("mkfifo", [directory["keys"]]).ExitCode);
        string[] arguments =
        [
            "--default-signal=HUP", "dotnet", typeof(CommandLine).Assembly.Location, "serve",
            "--model", directory["model"], "--api-key-file", directory["keys"], "--port", "0",
        ];
        using var process = Process.Start(new ProcessStartInfo("env", arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        try
        {
            // The pipe opens when it is read, and then the server waits for what is written.
            var script = $"exec 3> '{directory["keys"]}'; kill -HUP {process.Id}; sleep 0.5; echo '# none' >&3";
            await Task.Run(() => ChildProcess.Run("sh", ["-c", script])).WaitAsync(TimeSpan.FromSeconds(60));
            await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(30));
            Assert.Equal(1, process.ExitCode);
            Assert.StartsWith($"error: ApiKeyFile is '{directory["keys"]}', which has no key", await process.StandardError.ReadToEndAsync());
        }
        finally
        {
            process.Kill();
        }
    }

    [Fact]
    public void Models_have_names_directories_and_what_all_of_them_have()
    {
        using var directory = new TemporaryDirectory();
        Directory.CreateDirectory(directory["a=b,c"]);
        Assert.Equal(("", directory["a=b,c"]), Of(directory["a=b,c"]));
        Assert.Equal(("name", "x y=z"), Of("name=x,y=z"));
        Assert.Equal(("", "x y"), Of("x,y"));
        var model = ServeCommand.ModelOf("x", "base", "cuda:1", raw: true);
        Assert.Equal(("base", "cuda:1", true), (model.BaseDirectory, model.Device, model.ReadsTextAsIs));

        static (string, string) Of(string text) =>
            ServeCommand.ModelOf(text, null, "cpu", raw: false) is var model ? (model.Name, string.Join(' ', model.Directories)) : default;
    }

    [Fact]
    public void What_is_wrong_is_told_at_once()
    {
        using var directory = new TemporaryDirectory();
        Directory.CreateDirectory(directory["model"]);
        Assert.Equal(
            (1, $"""
                error: Models[0].Directories has '{directory["none"]}', which does not exist; expected the directory of a trained reward model.
                RequestTimeout is 00:00:00; expected a time above 0 to 24 days.
                Port is 70000; expected a number from 0 (any that is free) to 65535.

                """.ReplaceLineEndings("\n")),
            Run("serve", "--model", directory["none"], "--port", "70000", "--request-timeout", "0"));
        var (status, errors) = Run("serve", "--model", directory["model"], "--port", "0");
        Assert.Equal(1, status);
        Assert.StartsWith($"error: {directory["model"]}: ", errors);
        (status, errors) = Run("serve", "--model", directory["model"], "--drain-timeout", "1e300");
        Assert.Equal((1, true), (status, errors.StartsWith("error: DrainTimeout is ", StringComparison.Ordinal)));
        Assert.Equal(2, Run("serve").Status);
    }

    private static (int Status, string Errors) Run(params string[] arguments)
    {
        var (status, _, errors) = CommandLineTests.Run(arguments);
        return (status, errors);
    }
}
