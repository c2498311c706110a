using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using RewardModel.Checkpoints;
using RewardModel.Distributed;
using RewardModel.Scoring;
using RewardModel.Tests.Distributed;
using RewardModel.Training.Data;
using RewardModel.Training.Runs;

namespace RewardModel.Tests.Cli;

/// <summary>
/// <c>reward-model train</c> started by mpirun: it trains as one process does, and when a rank fails, all end soon, say why, and leave what
/// --resume goes on from.
/// </summary>
[Collection(nameof(RunsAlone))]
public sealed class TrainUnderMpiTests : IDisposable
{
    private const int stepCount = 40;

    /// <summary>After a fault all have ended by then.</summary>
    private static readonly TimeSpan soon = TimeSpan.FromSeconds(20);

    private readonly TemporaryDirectory directory = new();

    public TrainUnderMpiTests()
    {
        File.WriteAllText(directory["config.json"], TinyModel.Config("llama").ToJsonString());
        WriteLists("train.jsonl", 160, seed: 1);
        WriteLists("held-out.jsonl", 60, seed: 2);
    }

    public static TheoryData<string> Implementations => MpiCollectiveTests.Implementations;

    public void Dispose() => directory.Dispose();

    [MpiTheory]
    [MemberData(nameof(Implementations))]
    public void Ranks_train_as_one_process_does(string implementation)
    {
        var alone = CommandLineTests.Run(Arguments("alone"));
        Assert.True(alone.Status == 0, alone.Errors);
        // Ranks share tokenised lists.
        string[] files = [.. FilesOf("alone"), "training/lists"];
        foreach (var (ranks, shard) in new[] { (1, "none"), (2, "none"), (2, "parameters"), (3, "none"), (3, "parameters") })
        {
            var name = $"{ranks}-{shard}";
            var (exitCode, output, error) = Succeed(
                TrainingRanks.Start(Enum.Parse<MpiImplementation>(implementation), ranks, Arguments(name, "--shard", shard)));
            Assert.Equal(0, exitCode);
            Compare(alone.Output.Replace("/alone", $"/{name}", StringComparison.Ordinal), output);
            Assert.Single(Regex.Matches(error, "evaluation after step 20: "));
            Assert.Equal(ranks == 1 ? files.SkipLast(1) : files, FilesOf(name));
            CompareLogs("alone", name);
            CompareWeights("alone", name);
            Assert.All(StepsOf(name), step => Assert.Equal(ranks == 1 ? null : ranks, step["rank_seconds"]?.AsArray().Count));
        }
    }

    [MpiTheory]
    [InlineData("in a step", 1, "none")]
    [InlineData("in a step", 0, "parameters")]
    [InlineData("while a state is saved", 1, "parameters")]
    [InlineData("while a state is saved", 0, "none")]
    [InlineData("in an evaluation", 1, "parameters")]
    public void A_rank_that_is_killed_ends_all_and_the_run_goes_on_later(string when, int rank, string shard)
    {
        string[] Run(string name) => Arguments(name, "--shard", shard, "--resume");
        Succeed(TrainingRanks.Start(2, Run("straight")));
        using (var ranks = TrainingRanks.Start(2, Run("killed")))
        {
            var process = ranks.ProcessOf(rank);
            ranks.WaitUntil(() => when switch
            {
                "in a step" => StepsOf("killed").Count() > 4,
                "while a state is saved" => Directory.Exists(directory["killed/training/states/unfinished"]),
                _ => Doing("killed", rank).Contains("rewards of held-out lists", StringComparison.Ordinal),
            });
            System.Diagnostics.Process.GetProcessById(process).Kill();
            var (exitCode, _, error, time) = ranks.End();
            Assert.NotEqual(0, exitCode);
            Assert.Matches(@"signal 9 \(Killed\)|signal: 9|SIGNAL: Killed", error);
            Assert.InRange(time, TimeSpan.Zero, soon);
        }
        AssertNothingIsHalfWritten("killed");
        foreach (var other in new[] { "one", "three" })
            Copy("killed", other);
        Succeed(TrainingRanks.Start(2, Run("killed")));
        Assert.Equal(File.ReadAllBytes(directory["straight/model.safetensors"]), File.ReadAllBytes(directory["killed/model.safetensors"]));
        Assert.Equal(LossesOf("straight"), LossesOf("killed"));
        Assert.False(Directory.Exists(directory["killed/training/ranks"]));
        if (when == "in a step")
        {
            var (status, _, errors) = CommandLineTests.Run(Run("one"));
            Assert.True(status == 0, errors);
            Succeed(TrainingRanks.Start(3, Run("three")));
            foreach (var other in new[] { "one", "three" })
            {
                CompareLogs("straight", other);
                CompareWeights("straight", other);
            }
        }
    }

    [MpiFact]
    public void Killed_again_and_again_it_ends_with_the_bytes_of_a_straight_run()
    {
        var clock = System.Diagnostics.Stopwatch.StartNew();
        Succeed(TrainingRanks.Start(2, Arguments("straight", "--shard", "optimizer")));
        var duration = clock.Elapsed;
        var random = new SplitMix64(3);
        for (var kill = 0; kill < 3; kill++)
        {
            using var ranks = TrainingRanks.Start(2, Arguments("killed", "--shard", "optimizer", "--resume"));
            var rank = random.NextBelow(2);
            var process = ranks.ProcessOf(rank);
            ranks.WaitFor(duration * (random.NextBelow(70) / 100.0));
            System.Diagnostics.Process.GetProcessById(process).Kill();
            var (exitCode, _, _, time) = ranks.End();
            Assert.NotEqual(0, exitCode);
            Assert.InRange(time, TimeSpan.Zero, soon);
            AssertNothingIsHalfWritten("killed");
        }
        Succeed(TrainingRanks.Start(2, Arguments("killed", "--shard", "optimizer", "--resume")));
        Assert.Equal(File.ReadAllBytes(directory["straight/model.safetensors"]), File.ReadAllBytes(directory["killed/model.safetensors"]));
        Assert.Equal(LossesOf("straight"), LossesOf("killed"));
    }

    [MpiFact]
    public void A_rank_that_hangs_is_named_and_ends_all()
    {
        using var ranks = TrainingRanks.Start(2, Arguments("hung", "--hang-minutes", "0.1", "--steps", "100000"));
        ranks.WaitUntil(() => StepsOf("hung").Count() > 4);
        ranks.Signal("STOP", 1);
        var (exitCode, _, error, time) = ranks.End();
        Assert.NotEqual(0, exitCode);
        Assert.InRange(time, TimeSpan.FromSeconds(5), soon);
        Assert.Matches(
            @"^rank 0 of 2: operation \d+ \([\w ,]+\) has taken \d+ s, and at most 6 s were expected: another rank hangs, or computes much "
            + @"longer; rank 1 has ((been at operation \d+ \([\w ,]+\) for \d+ s|done operation \d+ \([\w ,]+\) \d+ s ago, and no other "
            + @"since) \(its process or its machine stands still\)|come to it, too, but its process or its "
            + @"machine has stood still for \d+ s)"
            + @", all others have come to \d+\. All ranks are ended; look at what that one does, or set a longer limit\.$",
            LineOf(error, "rank 0 of 2: "));
    }

    [MpiTheory]
    [InlineData(2)]
    [InlineData(1)]
    public void Told_to_stop_ranks_save_their_state_and_go_on_later(int toldCount)
    {
        string[] Run(string name) => Arguments(name, "--shard", "gradients", "--save-every", "1000");
        Succeed(TrainingRanks.Start(2, Run("straight")));
        using (var ranks = TrainingRanks.Start(2, Run("stopped")))
        {
            ranks.WaitUntil(() => StepsOf("stopped").Any());
            // The last one alone, or all of them.
            for (var rank = 1; rank >= 2 - toldCount; rank--)
                ranks.Signal("TERM", rank);
            var (exitCode, output, error, time) = ranks.End();
            Assert.Equal((130, ""), (exitCode, output));
            Assert.Single(Regex.Matches(error, @"^Stopped\. The state is saved: continue with --resume\.$", RegexOptions.Multiline));
            Assert.InRange(time, TimeSpan.Zero, soon);
        }
        Assert.InRange(new RunDirectory(directory["stopped"]).NewestStep!.Value, 1, stepCount - 1);
        // All other options are those of before.
        Succeed(TrainingRanks.Start(2, "train", "--resume", directory["stopped"]));
        Assert.Equal(File.ReadAllBytes(directory["straight/model.safetensors"]), File.ReadAllBytes(directory["stopped/model.safetensors"]));
        Assert.Equal(LossesOf("straight"), LossesOf("stopped"));
    }

    [MpiFact]
    public void Ranks_that_were_started_differently_are_refused()
    {
        Directory.CreateDirectory(directory["first"]);
        Directory.CreateDirectory(directory["second"]);
        File.Copy(directory["train.jsonl"], directory["first/lists.jsonl"]);
        File.Copy(directory["held-out.jsonl"], directory["second/lists.jsonl"]);
        string Refused(string[] first, string[] second)
        {
            using var ranks = TrainingRanks.StartEach((directory["first"], first), (directory["second"], second));
            var (exitCode, output, error, time) = ranks.End();
            Assert.NotEqual(0, exitCode);
            Assert.Equal("", output);
            Assert.InRange(time, TimeSpan.Zero, soon);
            return LineOf(error, "rank 0 of 2: ");
        }

        Assert.Equal(
            "rank 0 of 2: The ranks don't train the same thing: --threads is 2 on rank 1 and 1 on rank 0; --learning-rate is 0.002 "
            + "on rank 1 and 0.0001 on rank 0; --resume is true on rank 1 and false on rank 0. "
            + "Start all ranks with the same command, files and version.",
            Refused(
                Arguments("a"),
                Arguments("a", "--threads", "2", "--learning-rate", "0.002", "--resume")));
        Assert.Equal(
            $"rank 0 of 2: The ranks don't train the same thing: --output is \"{directory["c"]}\" on rank 1 and \"{directory["b"]}\" on "
            + "rank 0. Start all ranks with the same command, files and version.",
            Refused(Arguments("b"), Arguments("c")));
        string[] relative = [.. Arguments("d")];
        relative[Array.IndexOf(relative, "--output") + 1] = "model";
        Assert.Equal(
            $"rank 0 of 2: The ranks' output directories are not the same one: what rank 0 has written to '{directory["first/model"]}' on "
            + $"{Environment.MachineName} is not seen by rank 1 ('{directory["second/model"]}' on {Environment.MachineName}). Give an "
            + "--output in a file system that all machines share, by a path that is the same for all ranks.",
            Refused(relative, relative));
        // Lists are the first rank's, whatever a file of that name has where another one runs.
        string[] otherLists = [.. Arguments("e")];
        otherLists[Array.IndexOf(otherLists, "--data") + 1] = "lists.jsonl";
        using (var ranks = TrainingRanks.StartEach((directory["first"], otherLists), (directory["second"], otherLists)))
            Assert.Equal(0, ranks.End().ExitCode);
        using (var ranks = TrainingRanks.Start(2, Arguments("g")))
            Assert.Equal(0, ranks.End().ExitCode);
        Assert.Equal(LossesOf("g"), LossesOf("e"));
        Assert.Equal(
            "rank 1 of 2: A launcher has started 2 ranks, which train one model together; --dry-run and --seeds are for one process. Start "
            + "it without the launcher.",
            RefusedOf(TrainingRanks.StartEach(
                (directory["first"], Arguments("f")), (directory["second"], [.. Arguments("f"), "--dry-run"])), "rank 1 of 2: "));
    }

    [MpiFact]
    public void What_is_for_one_process_is_refused_and_so_is_a_launcher_without_a_library()
    {
        const string expected = "A launcher has started 2 ranks, which train one model together; --dry-run and --seeds are for one "
            + "process. Start it without the launcher.";
        Assert.Equal($"rank 0 of 2: {expected}", RefusedOf(TrainingRanks.Start(2, [.. Arguments("a"), "--dry-run"]), "rank 0 of 2: "));
        Assert.Equal($"rank 0 of 2: {expected}", RefusedOf(TrainingRanks.Start(2, [.. Arguments("a"), "--seeds", "2"]), "rank 0 of 2: "));
        Assert.Matches(
            @"^error: mpirun of .* has started 2 processes, and there is no MPI library to connect them: REWARD_MODEL_MPI names "
            + @"/nonexistent \(.*\)\. Expected Open MPI or MPICH .*: install openmpi-bin or mpich .*\.$",
            RefusedOf(TrainingRanks.StartWith((Mpi.LibraryVariable, "/nonexistent"), 2, Arguments("a")), "error: "));
    }

    [MpiFact]
    public void What_is_wrong_with_data_is_told_as_one_process_tells_it()
    {
        File.AppendAllText(directory["train.jsonl"], "{\"prompt_ids\": [1], \"answer_ids\": [[2]\n");
        var alone = CommandLineTests.Run(Arguments("alone"));
        Assert.Equal(1, alone.Status);
        var message = alone.Errors[(alone.Errors.IndexOf("error: ", StringComparison.Ordinal) + "error: ".Length)..];
        Assert.Contains("train.jsonl:161: ", message, StringComparison.Ordinal);
        using var ranks = TrainingRanks.Start(3, Arguments("together"));
        var (exitCode, _, error, time) = ranks.End();
        Assert.NotEqual(0, exitCode);
        Assert.Contains($"rank 0 of 3: {message}", error, StringComparison.Ordinal);
        Assert.InRange(time, TimeSpan.Zero, soon);

        var missing = CommandLineTests.Run(Arguments("alone", "--eval-data", directory["nowhere.jsonl"])).Errors["error: ".Length..];
        using var others = TrainingRanks.Start(2, Arguments("together", "--eval-data", directory["nowhere.jsonl"]));
        Assert.Contains($"rank 0 of 2: {missing}", others.End().Error, StringComparison.Ordinal);
    }

    /// <summary>What an attempt has left of tokenised lists is not what other data are.</summary>
    [MpiFact]
    public void After_an_attempt_that_was_refused_other_data_are_read()
    {
        var refused = RefusedOf(TrainingRanks.Start(2, Arguments("together", "--average-last", "99")), "rank 0 of 2: ");
        Assert.StartsWith("rank 0 of 2: AverageLast (--average-last) is 99; expected at most 4, ", refused, StringComparison.Ordinal);
        Assert.NotEmpty(Directory.EnumerateFiles(directory["together/training/lists"]));
        WriteLists("train.jsonl", 130, seed: 7);
        Assert.Equal(0, CommandLineTests.Run(Arguments("alone")).Status);
        Succeed(TrainingRanks.Start(2, Arguments("together")));
        CompareLogs("alone", "together");
    }

    private static string RefusedOf(TrainingRanks ranks, string prefix)
    {
        using (ranks)
        {
            var (exitCode, output, error, time) = ranks.End();
            Assert.NotEqual(0, exitCode);
            Assert.Equal("", output);
            Assert.InRange(time, TimeSpan.Zero, soon);
            return LineOf(error, prefix);
        }
    }

    private static (int ExitCode, string Output, string Error) Succeed(TrainingRanks ranks)
    {
        using (ranks)
        {
            var (exitCode, output, error, _) = ranks.End();
            Assert.True(exitCode == 0, output + error);
            return (exitCode, output, error);
        }
    }

    /// <summary>The first line with a beginning; before it is nothing that explains less.</summary>
    private static string LineOf(string error, string prefix)
    {
        var lines = error.Split('\n');
        Assert.True(lines.Any(line => line.StartsWith(prefix, StringComparison.Ordinal)), error);
        var before = lines.TakeWhile(line => !line.StartsWith(prefix, StringComparison.Ordinal));
        Assert.DoesNotContain(
            before,
            line => line.Contains("MPI_ABORT", StringComparison.Ordinal) || line.StartsWith("   at ", StringComparison.Ordinal));
        return lines.First(line => line.StartsWith(prefix, StringComparison.Ordinal));
    }

    private string[] Arguments(string output, params string[] more)
    {
        string[] usual =
        [
            "train", "--data", directory["train.jsonl"], "--eval-data", directory["held-out.jsonl"], "--config", directory["config.json"],
            "--output", directory[output], "--steps", $"{stepCount}", "--learning-rate", "1e-4", "--lists-per-step", "7", "--eval-every",
            "10", "--save-every", "4", "--threads", "1",
        ];
        // An option that is given again replaces the usual one.
        var kept = new List<string> { usual[0] };
        for (var i = 1; i < usual.Length; i += 2)
            if (!more.Contains(usual[i]))
                kept.AddRange(usual[i..(i + 2)]);
        return [.. kept, .. more];
    }

    private void WriteLists(string file, int count, ulong seed) => File.WriteAllLines(
        directory[file],
        TinyModel.OrderTask(count, seed).Select((list, i) =>
            JsonSerializer.Serialize(new { prompt_ids = (int[])[.. list.PromptIds, 30 + i % 25], answer_ids = list.AnswerIds })));

    /// <summary>What lies in a run's directory: files, and the folder of lists, but not those in it.</summary>
    private string[] FilesOf(string run) =>
    [
        .. Directory.EnumerateFiles(directory[run], "*", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(directory[run], file))
            .Select(file => file.StartsWith("training/lists/", StringComparison.Ordinal) ? "training/lists" : file)
            .Distinct().OrderBy(file => file == "training/lists").ThenBy(file => file, StringComparer.Ordinal),
    ];

    private IEnumerable<JsonNode> LogOf(string run) => File.Exists(directory[$"{run}/training/log.jsonl"])
        // The last line may be half there.
        ? ReadShared(directory[$"{run}/training/log.jsonl"]).Split('\n')[..^1].Select(line => JsonNode.Parse(line)!)
        : [];

    private IEnumerable<JsonNode> StepsOf(string run) => LogOf(run).Where(line => line["loss"] is not null);

    private double[] LossesOf(string run) =>
        [.. LogOf(run).Select(line => line["loss"] ?? line["metrics"]?["loss"]).OfType<JsonNode>().Select(loss => (double)loss)];

    /// <summary>What a rank is doing, by its own words.</summary>
    private string Doing(string run, int rank) =>
        File.Exists(directory[$"{run}/training/ranks/rank-{rank}"]) ? ReadShared(directory[$"{run}/training/ranks/rank-{rank}"]) : "";

    private static string ReadShared(string file)
    {
        using var reader = new StreamReader(new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
        return reader.ReadToEnd();
    }

    private void CompareLogs(string expected, string found)
    {
        Assert.Equal(Enumerable.Range(1, stepCount), StepsOf(found).Select(step => (int)step["step"]!));
        var (losses, others) = (LossesOf(expected), LossesOf(found));
        Assert.Equal(losses.Length, others.Length);
        // The first evaluation and the first step are of the same weights.
        for (var i = 0; i < losses.Length; i++)
            Assert.InRange(others[i], losses[i] * (1 - (i < 2 ? 1e-6 : 1e-5)), losses[i] * (1 + (i < 2 ? 1e-6 : 1e-5)));
    }

    private void CompareWeights(string expected, string found)
    {
        using ScoringModel first = ScoringModel.Load(directory[expected]), second = ScoringModel.Load(directory[found]);
        foreach (var (one, other) in first.Transformer.CheckpointParameters.Zip(second.Transformer.CheckpointParameters))
        {
            using var difference = (one.Parameter - other.Parameter).abs().max();
            Assert.InRange(difference.item<float>(), 0, 1e-5f);
        }
    }

    /// <summary>The same but for the last digits of numbers.</summary>
    private static void Compare(string expected, string found) =>
        Assert.Equal(Regex.Replace(expected, @"\d\.\d+", "number"), Regex.Replace(found, @"\d\.\d+", "number"));

    /// <summary>Every state and all best weights can be read whole, and so can the model, if there is one.</summary>
    private void AssertNothingIsHalfWritten(string run)
    {
        if (File.Exists(directory[$"{run}/config.json"]) || File.Exists(directory[$"{run}/model.safetensors"]))
            ScoringModel.Load(directory[run]).Dispose();
        foreach (var parent in new[] { "states", "best" }.Select(name => directory[$"{run}/training/{name}"]).Where(Directory.Exists))
            foreach (var step in Directory.EnumerateDirectories(parent, "step-*"))
                foreach (var file in Directory.EnumerateFiles(step, "*.safetensors", SearchOption.AllDirectories))
                {
                    using var reader = CheckpointReader.Open(Path.GetDirectoryName(file)!);
                    Assert.NotEmpty(reader.Names);
                }
    }

    private void Copy(string from, string to)
    {
        // A process that was killed may still hold its lock while the system takes its memory back.
        foreach (var file in Directory.EnumerateFiles(directory[from], "*", SearchOption.AllDirectories)
            .Where(file => Path.GetFileName(file) != "lock"))
        {
            var target = Path.Combine(directory[to], Path.GetRelativePath(directory[from], file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }
}
