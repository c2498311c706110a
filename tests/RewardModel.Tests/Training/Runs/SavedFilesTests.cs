using System.Security.Cryptography;
using System.Text.Json;
using RewardModel.Scoring;
using RewardModel.Training;
using RewardModel.Training.Optimization;
using RewardModel.Training.Runs;

namespace RewardModel.Tests.Training.Runs;

/// <summary>What becomes of runs and models whose files are damaged.</summary>
[Collection(nameof(RunsAlone))]
public sealed class SavedFilesTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();
    private readonly StringWriter log = new();

    public SavedFilesTests()
    {
        File.WriteAllText(directory["config.json"], TinyModel.Config("llama").ToJsonString());
        File.WriteAllLines(directory["train.jsonl"], Enumerable.Range(0, 60).Select(i => JsonSerializer.Serialize(
            new { prompt_ids = new[] { 1 + i % 50, 3 }, answer_ids = new[] { new[] { 7, 2 }, [8, 9, 2], [3, 2] } })));
    }

    public void Dispose() => directory.Dispose();

    /// <summary>
    /// A byte of any file of a run is changed, cut off or added, or the file removed: the resumed run ends with the model of an undisturbed one,
    /// or is refused, and what was wrong is told.
    /// </summary>
    [Fact]
    public void A_run_with_damaged_files_is_resumed_from_what_is_whole()
    {
        var expected = Trained("undisturbed", steps: 12);
        Trained("run", steps: 8);
        var files = Directory.EnumerateFiles(directory["run/training"], "*", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(directory["run"], path))
            .Where(path => path.Contains("states") || path.Contains("best")).Order(StringComparer.Ordinal).ToArray();
        Assert.Equal(["step-00000004", "step-00000008"], Directory.EnumerateDirectories(directory["run/training/states"])
            .Select(path => Path.GetFileName(path)).Order());
        Assert.True(files.Length >= 10, string.Join(' ', files));
        foreach (var file in files)
            foreach (var damage in new Func<byte[], byte[]?>[]
            {
                bytes => Changed(bytes, bytes.Length / 2), bytes => Changed(bytes, bytes.Length - 1), bytes => bytes[..(bytes.Length / 2)], _ => [],
                bytes => [.. bytes, 0], _ => null,
            })
            {
                Copy("run", "damaged");
                var path = directory[Path.Combine("damaged", file)];
                if (damage(File.ReadAllBytes(path)) is { } bytes)
                    File.WriteAllBytes(path, bytes);
                else
                    File.Delete(path);
                Assert.Contains(SavedFiles.Verify(directory["damaged"]), part => part.Problems.Count > 0);
                log.GetStringBuilder().Clear();
                Assert.Equal(expected, Trained("damaged", steps: 12, resumes: true));
                if (file.Contains("step-00000008"))
                    Assert.Contains("is damaged", log.ToString());
            }
    }

    [Fact]
    public void A_run_without_a_state_that_is_whole_is_refused_and_all_that_is_wrong_is_told()
    {
        Trained("run", steps: 8);
        foreach (var step in new[] { 4, 8 })
            File.AppendAllText(directory[$"run/training/states/step-{step:D8}/state.json"], " ");
        var before = Directory.GetFiles(directory["run"], "*", SearchOption.AllDirectories).Order().ToArray();
        var message = Assert.Throws<RunDirectoryException>(() => Trained("run", steps: 12, resumes: true)).Message;
        Assert.Contains("The state of step 8 is damaged: ", message);
        Assert.Contains("The state of step 4 is damaged: ", message);
        Assert.EndsWith("Restore one from a copy, or start the run in another directory.", message);
        Assert.Equal(before, Directory.GetFiles(directory["run"], "*", SearchOption.AllDirectories).Order());
    }

    [Fact]
    public void Best_weights_that_are_gone_are_missed_at_the_start()
    {
        Trained("run", steps: 8);
        Directory.Delete(directory["run/training/best"], recursive: true);
        Assert.Contains(
            "of its best weights: there is no", Assert.Throws<RunDirectoryException>(() => Trained("run", steps: 12, resumes: true)).Message);
    }

    [Fact]
    public void Directories_that_only_look_like_states_are_nothing()
    {
        Trained("run", steps: 8);
        foreach (var name in new[] { "step-99x", "step-0000000x", "step--0000001", "step-", "other" })
            Directory.CreateDirectory(directory[$"run/training/states/{name}"]);
        Assert.Equal(8, new RunDirectory(directory["run"]).NewestStep);
        Trained("run", steps: 12, resumes: true);
    }

    [Fact]
    public void A_state_in_the_place_of_another_is_damaged()
    {
        var expected = Trained("undisturbed", steps: 12);
        Trained("run", steps: 8);
        Directory.Move(directory["run/training/states/step-00000008"], directory["run/training/states/step-00000009"]);
        Assert.Equal(expected, Trained("run", steps: 12, resumes: true));
        Assert.Contains("The state of step 9 is damaged: state.json is of step 8.", log.ToString());
    }

    [Fact]
    public void Files_that_nobody_reads_may_lie_beside()
    {
        Trained("run", steps: 8);
        File.WriteAllText(directory["run/training/states/step-00000008/.DS_Store"], "");
        Assert.All(SavedFiles.Verify(directory["run"]), part => Assert.Empty(part.Problems));
    }

    [Fact]
    public void A_rule_that_is_saved_alone_does_not_vouch_for_damage()
    {
        using (var model = new ScoringModel(TinyModel.Create(), maxLength: 20))
        {
            model.Save(directory["model"]);
            File.AppendAllText(directory["model/config.json"], " ");
            model.SaveRule(directory["model"]);
        }
        Assert.StartsWith("config.json has ", Assert.Single(Assert.Single(SavedFiles.Verify(directory["model"])).Problems));
    }

    [Fact]
    public void A_state_without_a_manifest_was_not_saved_to_its_end()
    {
        var expected = Trained("undisturbed", steps: 12);
        Trained("run", steps: 8);
        File.Delete(directory["run/training/states/step-00000008/manifest.json"]);
        Assert.Equal(expected, Trained("run", steps: 12, resumes: true));
        Assert.Contains("has no manifest.json", log.ToString());
    }

    [Fact]
    public void A_file_that_was_not_saved_with_a_state_is_told()
    {
        Trained("run", steps: 8);
        File.WriteAllText(directory["run/training/states/step-00000008/weights/model.safetensors.index.json"], "{}");
        Assert.Contains(
            "'weights/model.safetensors.index.json', which was not saved with it",
            string.Join(' ', SavedFiles.Verify(directory["run"]).SelectMany(part => part.Problems)));
    }

    [Fact]
    public void A_model_is_compared_with_what_was_saved()
    {
        Trained("run", steps: 4);
        Assert.All(SavedFiles.Verify(directory["run"], checksValues: true), part => Assert.True(part is { Problems: [], IsProven: true }));
        File.AppendAllText(directory["run/config.json"], " ");
        File.WriteAllText(directory["run/tokenizer.json"], "{}");
        var model = SavedFiles.Verify(directory["run"])[0];
        Assert.Equal("model", model.Name);
        Assert.Equal(2, model.Problems.Count);
        Assert.StartsWith("config.json has ", model.Problems[0]);
        Assert.Equal("tokenizer.json was not saved with the model", model.Problems[1]);
    }

    [Fact]
    public void Numbers_that_are_not_finite_are_found_where_they_are_asked_for()
    {
        using (var model = new ScoringModel(TinyModel.Create(), maxLength: 20))
        {
            model.Save(directory["model"]);
            using var _ = TorchSharp.torch.no_grad();
            model.Transformer.TrainedParameters.ElementAt(3).Parameter.view(-1)[2].fill_(float.NaN);
            RewardModel.Checkpoints.CheckpointWriter.Write(directory["model"], model.Transformer.CheckpointParameters.Select(pair => (pair.Name, (TorchSharp.torch.Tensor)pair.Parameter)));
        }
        File.Delete(directory["model/reward_model_manifest.json"]);
        var unproven = Assert.Single(SavedFiles.Verify(directory["model"]));
        Assert.True(unproven is { Problems: [], IsProven: false });
        Assert.Contains("1 of the", Assert.Single(Assert.Single(SavedFiles.Verify(directory["model"], checksValues: true)).Problems));
    }

    [Fact]
    public void A_rule_that_is_saved_alone_is_in_the_manifest()
    {
        using (var model = new ScoringModel(TinyModel.Create(), maxLength: 20))
        {
            model.Save(directory["model"]);
            model.SaveRule(directory["model"]);
        }
        Assert.Empty(Assert.Single(SavedFiles.Verify(directory["model"])).Problems);
    }

    /// <summary>The digest of the weights that a run ends with.</summary>
    private string Trained(string output, int steps, bool resumes = false)
    {
        var options = new TrainingRunOptions
        {
            Data = directory["train.jsonl"],
            Config = directory["config.json"],
            Output = directory[output],
            Steps = steps,
            ListsPerStep = 8,
            LearningRate = 3e-3,
            Schedule = ScheduleKind.Constant,
            WarmupSteps = 0,
            EvaluationInterval = 3,
            SaveInterval = 4,
            Threads = 1,
            Resume = resumes,
        };
        new TrainingRun(options, new RewardModel.Cli.LineLogger(log.WriteLine)).Run();
        return Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(directory[$"{output}/model.safetensors"])));
    }

    private static byte[] Changed(byte[] bytes, int place)
    {
        bytes[place] ^= 1;
        return bytes;
    }

    private void Copy(string source, string target)
    {
        if (Directory.Exists(directory[target]))
            Directory.Delete(directory[target], recursive: true);
        foreach (var file in Directory.EnumerateFiles(directory[source], "*", SearchOption.AllDirectories))
        {
            var copy = directory[Path.Combine(target, Path.GetRelativePath(directory[source], file))];
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
    }
}
