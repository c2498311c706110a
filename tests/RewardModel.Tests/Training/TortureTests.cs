using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using RewardModel.Cli;
using RewardModel.Files;
using RewardModel.Scoring;
using RewardModel.Tests.Files;
using RewardModel.Training;
using RewardModel.Training.Data;
using RewardModel.Training.Optimization;
using RewardModel.Training.Runs;

namespace RewardModel.Tests.Training;

/// <summary>
/// Runs that are killed, or whose disk fails, before any of their operations on files: resumed, they end with the bytes of an undisturbed run.
/// A few places of many here; with REWARD_MODEL_TORTURE, which <c>./test.sh --filter Torture</c> sets, all of them.
/// </summary>
[Collection(nameof(RunsAlone))]
public sealed class TortureTests : IDisposable
{
    private const int placeCount = 20;

    private static readonly bool isWhole = Environment.GetEnvironmentVariable("REWARD_MODEL_TORTURE") is not (null or "");

    private readonly TemporaryDirectory directory = new();

    public TortureTests()
    {
        File.WriteAllText(directory["config.json"], TinyModel.Config("llama").ToJsonString());
        File.WriteAllLines(directory["train.jsonl"], Enumerable.Range(0, 40).Select(i => JsonSerializer.Serialize(
            new { prompt_ids = new[] { 1 + i % 50, 3 }, answer_ids = new[] { new[] { 7, 2 }, [8, 9, 2], [3, 2] } })));
    }

    public void Dispose()
    {
        DiskProbe.Current = null;
        directory.Dispose();
    }

    [Theory]
    [InlineData("killed")]
    [InlineData("full")]
    [InlineData("broken")]
    [InlineData("read-only")]
    public void Before_any_operation_the_disk_fails_and_the_resumed_run_ends_with_the_same_model(string kind)
    {
        var counting = new DiskFault(-1, () => new InvalidOperationException(), lasts: false);
        var expected = Under(counting, () => Trained("undisturbed"));
        Assert.True(counting.Count > 150, $"{counting.Count} operations");
        Func<Exception> fault = kind switch
        {
            "killed" => () => new DiskFault.Killed(),
            "full" => () => new IOException("No space left on device"),
            "broken" => () => new IOException("Input/output error"),
            _ => () => new UnauthorizedAccessException("Access to the path is denied."),
        };
        foreach (var place in Places(counting.Count, kind.Length))
        {
            var output = string.Create(CultureInfo.InvariantCulture, $"{kind}-{place}");
            var disk = new DiskFault(place, fault, lasts: kind is "killed" or "full");
            try
            {
                Assert.Equal(expected, Under(disk, () => Trained(output)));
                // What was gone before it was deleted, or a name that is kept for later, may be done without.
                Assert.True(kind is "broken" or "read-only" || disk.Count <= place + 1, $"operation {place} failed, and nothing was told");
            }
            catch (Exception exception) when (exception is DiskFault.Killed or IOException or UnauthorizedAccessException
                or RunDirectoryException or RewardModel.Checkpoints.CheckpointException)
            {
                CheckThatAModelIsWhole(output, expected);
                Assert.Equal(expected, Trained(output));
            }
            Directory.Delete(directory[output], recursive: true);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void After_a_power_failure_at_any_time_the_resumed_run_ends_with_the_same_model(bool keepsNames)
    {
        var journal = new DiskJournal(directory.Path);
        var expected = Under(journal, () => Trained("undisturbed"));
        foreach (var place in Places(journal.Count + 1, keepsNames ? 3 : 5))
        {
            journal.MakeImage(place, keepsNames, directory["after"]);
            Directory.CreateDirectory(directory["after/undisturbed"]);
            CheckThatAModelIsWhole("after/undisturbed", expected);
            Assert.Equal(expected, Trained("after/undisturbed"));
            Directory.Delete(directory["after"], recursive: true);
        }
    }

    [Fact]
    public void After_a_power_failure_once_the_run_has_ended_the_model_is_there()
    {
        var journal = new DiskJournal(directory.Path);
        var expected = Under(journal, () => Trained("undisturbed"));
        journal.MakeImage(journal.Count, keepsNames: false, directory["after"]);
        Assert.Equal(expected, DigestOf("after/undisturbed"));
        Assert.All(SavedFiles.Verify(directory["after/undisturbed"]), part => Assert.Empty(part.Problems));
    }

    [Fact]
    public async Task Processes_that_are_killed_at_random_end_with_the_same_model()
    {
        string[] Arguments(string output) =>
        [
            "train", "--data", directory["train.jsonl"], "--config", directory["config.json"], "--output", directory[output], "--steps", "60",
            "--eval-every", "7", "--save-every", "3", "--average-last", "2", "--threads", "1", "--resume",
        ];
        using (var undisturbed = Start(Arguments("undisturbed")))
            Assert.True(undisturbed.WaitForExit(TimeSpan.FromMinutes(2)) && undisturbed.ExitCode == 0);
        var expected = DigestOf("undisturbed");
        var random = new SplitMix64(7);
        var mostKills = isWhole ? 200 : 20;
        for (var (kills, run, start) = (0, 0, 0); kills < mostKills; start++)
        {
            using var process = Start(Arguments($"run-{run}"));
            var errors = process.StandardError.ReadToEndAsync();
            // Longer each time, so that a slow machine gets to the end too.
            if (process.WaitForExit(TimeSpan.FromMilliseconds(300 + random.NextBelow(700) + 50 * start)))
            {
                Assert.True(process.ExitCode == 0, await errors);
                Assert.Equal(expected, DigestOf($"run-{run}"));
                (run, start) = (run + 1, 0);
                continue;
            }
            process.Kill();
            await process.WaitForExitAsync();
            kills++;
        }

        static Process Start(string[] arguments) => Process.Start(
            new ProcessStartInfo("dotnet", [typeof(CommandLine).Assembly.Location, .. arguments]) { RedirectStandardError = true })!;
    }

    /// <summary>On a disk that is really full. The run says so, and goes on when there is room again.</summary>
    [OwnDiskFact]
    public void On_a_full_disk_the_run_ends_with_what_was_saved_and_goes_on_with_more_room()
    {
        var expected = Trained("undisturbed");
        using var disk = OwnDisk.Mount(Directory.CreateDirectory(directory["disk"]).FullName, kilobytes: 64)!;
        var refused = 0;
        foreach (var kilobytes in new[] { 64, 96, 128, 192, 256, 384, 512, 1024, 16384 })
        {
            disk.Resize(kilobytes);
            try
            {
                Assert.Equal(expected, Trained("disk/run"));
                Assert.True(refused > 1, "the disk was never full");
                return;
            }
            catch (IOException)
            {
                refused++;
            }
        }
        Assert.Fail("the run never ended");
    }

    /// <summary>Where a model is found at all it is the whole one.</summary>
    private void CheckThatAModelIsWhole(string output, string expected)
    {
        if (!FolderFile.Exists(directory[output], "config.json"))
            return;
        using (var model = ScoringModel.Load(directory[output]))
            Assert.True(model.Scorer().Score([TinyModel.List(1, 2, 3, 4)])[0].All(float.IsFinite));
        Assert.Equal(expected, DigestOf(output));
    }

    private static IEnumerable<int> Places(int count, int seed)
    {
        if (isWhole)
            return Enumerable.Range(0, count);
        var random = new SplitMix64((ulong)seed);
        return Enumerable.Range(0, placeCount).Select(_ => (int)(random.Next() % (ulong)count)).Append(count - 1).Distinct().ToArray();
    }

    private static string Under(DiskProbe probe, Func<string> action)
    {
        DiskProbe.Current = probe;
        try
        {
            return action();
        }
        finally
        {
            DiskProbe.Current = null;
        }
    }

    /// <summary>Trains, going on from what is there, and gives a digest of the model.</summary>
    private string Trained(string output)
    {
        var options = new TrainingRunOptions
        {
            Data = directory["train.jsonl"],
            Config = directory["config.json"],
            Output = directory[output],
            Steps = 6,
            ListsPerStep = 8,
            LearningRate = 3e-3,
            Schedule = ScheduleKind.Constant,
            WarmupSteps = 0,
            EvaluationInterval = 2,
            AverageLast = 2,
            SaveInterval = 2,
            Threads = 1,
            Resume = new RunDirectory(directory[output]).NewestStep is not null,
        };
        new TrainingRun(options).Run();
        return DigestOf(output);
    }

    private string DigestOf(string output)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var name in new[] { "model.safetensors", "config.json", "reward_model.json", "reward_model_manifest.json" })
            hash.AppendData(File.ReadAllBytes(FolderFile.PathOf(directory[output], name)));
        return Convert.ToHexString(hash.GetHashAndReset());
    }
}
