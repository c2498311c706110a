using System.Diagnostics;
using System.Security.Cryptography;
using RewardModel.Files;
using RewardModel.Lists;
using RewardModel.Scoring;

namespace RewardModel.Tests.Scoring;

[Collection(nameof(RunsAlone))]
public sealed class SavedModelTests : IDisposable
{
    private static readonly TokenizedList[] lists = [TinyModel.List(1, 5, 3, 4), TinyModel.List(2, 1, 7, 2)];

    private readonly TemporaryDirectory directory = new();
    private readonly float[][][] rewards;

    /// <summary>Two models with the same configuration, in the folders a and b, and a third folder that holds the first.</summary>
    public SavedModelTests() => rewards = [.. new[] { "a", "b" }.Select((name, kind) =>
    {
        using var model = new ScoringModel(TinyModel.Create(seed: kind), maxLength: 20 + kind);
        ChildProgram.Save(model, kind, directory[name]);
        if (kind == 0)
            ChildProgram.Save(model, kind, directory["model"]);
        return model.Scorer().Score(lists);
    })];

    public void Dispose() => directory.Dispose();

    [Fact]
    public void A_model_replaces_another_and_other_files_stay()
    {
        File.WriteAllText(directory["model/notes.txt"], "mine");
        File.WriteAllText(directory["model/tokenizer.json"], "of an older model");
        using (var second = ScoringModel.Load(directory["b"]))
            ChildProgram.Save(second, 1, directory["model"]);
        Assert.Equal("mine", File.ReadAllText(directory["model/notes.txt"]));
        File.Delete(directory["model/notes.txt"]);
        Assert.Equal(Content("b"), Content("model"));
    }

    [Fact]
    public void Until_the_new_model_is_whole_the_old_one_counts()
    {
        Copy("b", $"model/{SavedModel.Writing}");
        Assert.Equal(0, Loaded());
        Assert.True(Directory.Exists(directory[$"model/{SavedModel.Writing}"]));
        using (var second = ScoringModel.Load(directory["b"]))
            ChildProgram.Save(second, 1, directory["model"]);
        Assert.Equal(Content("b"), Content("model"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(100)]
    public void Interrupted_while_old_files_are_removed_the_new_model_counts(int removedCount)
    {
        Copy("b", $"model/{FolderFile.Written}");
        // config.json goes first.
        foreach (var file in Directory.GetFiles(directory["model"]).Order(StringComparer.Ordinal).Take(removedCount))
            File.Delete(file);
        CheckThatTheSecondModelCounts();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Interrupted_while_new_files_are_placed_the_new_model_counts(int placedCount)
    {
        foreach (var file in Directory.GetFiles(directory["model"]))
            File.Delete(file);
        Copy("b", $"model/{FolderFile.Placing}");
        string[] order = ["model.safetensors", "reward_model.json", "reward_model_manifest.json", "config.json"];
        foreach (var name in order.Take(placedCount))
            File.Move(directory[$"model/{FolderFile.Placing}/{name}"], directory[$"model/{name}"]);
        CheckThatTheSecondModelCounts();
    }

    [Fact]
    public void A_link_in_place_of_the_new_files_is_left_alone()
    {
        Directory.CreateSymbolicLink(directory[$"model/{FolderFile.Written}"], directory["b"]);
        Assert.Equal(0, Loaded());
        Assert.Equal(1, Loaded("b"));
    }

    [Fact]
    public async Task Killed_at_any_time_it_leaves_the_old_model_or_the_new_one()
    {
        var found = new int[2];
        var wholeWithoutUs = 0;
        for (var kill = 0; kill < 16; kill++)
        {
            using var process = ChildProgram.Start("save", directory["a"], directory["b"], directory["model"]);
            // Whole saves of the two models in turn, two of each because the first takes a hundred times as long, and then part of one
            // more: of the first model and of the second alternately, from its first moment to nearly as long as that model's last took.
            var durations = new TimeSpan[2];
            var saveCount = 4 + kill % 2;
            for (var save = 0; save < saveCount; save++)
            {
                var start = Stopwatch.GetTimestamp();
                await AskToSave();
                Assert.Equal("saved", await process.StandardOutput.ReadLineAsync());
                durations[save % 2] = Stopwatch.GetElapsedTime(start);
            }
            await AskToSave();
            await Task.Delay(durations[saveCount % 2] * ((kill / 2) / 8.0));
            process.Kill();
            await process.WaitForExitAsync();

            // What others see: a model that is one of the two, or none because config.json is not there.
            if (File.Exists(directory["model/config.json"]))
            {
                Assert.Contains(Content("model"), new[] { Content("a"), Content("b") });
                wholeWithoutUs++;
            }
            found[Loaded()]++;
            SavedModel.Finish(directory["model"]);
            Assert.Contains(Content("model"), new[] { Content("a"), Content("b") });

            async Task AskToSave()
            {
                await process.StandardInput.WriteLineAsync();
                await process.StandardInput.FlushAsync();
            }
        }
        Assert.True(found[0] > 0 && found[1] > 0, $"found the first model {found[0]} times and the second {found[1]} times");
        Assert.True(wholeWithoutUs > 0, "there was never a model for others");
    }

    private void CheckThatTheSecondModelCounts()
    {
        // Reading changes nothing: the directory may be a stranger's.
        var entries = directory.AllEntries();
        Assert.Equal(1, Loaded());
        Assert.Equal(entries, directory.AllEntries());
        SavedModel.Finish(directory["model"]);
        Assert.Equal(Content("b"), Content("model"));
    }

    /// <summary>Which of the two models a directory holds, by its rewards and its rule.</summary>
    private int Loaded(string name = "model")
    {
        using var model = ScoringModel.Load(directory[name]);
        var kind = model.Rule.MaxLength - 20;
        Assert.Equal(rewards[kind], model.Scorer().Score(lists));
        return kind;
    }

    /// <summary>Names and bytes of the files in a folder; not of its folders.</summary>
    private string Content(string name) => string.Join('\n', Directory.GetFiles(directory[name]).Order(StringComparer.Ordinal)
        .Select(file => $"{Path.GetFileName(file)} {Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(file)))}"));

    private void Copy(string source, string target)
    {
        Directory.CreateDirectory(directory[target]);
        foreach (var file in Directory.GetFiles(directory[source]))
            File.Copy(file, Path.Combine(directory[target], Path.GetFileName(file)));
    }
}
