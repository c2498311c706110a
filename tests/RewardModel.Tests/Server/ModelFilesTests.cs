using RewardModel.Server;

namespace RewardModel.Tests.Server;

public class ModelFilesTests
{
    [Fact]
    public void A_version_tells_files_from_others()
    {
        using var directory = new TemporaryDirectory();
        Directory.CreateDirectory(directory["model"]);
        File.WriteAllText(directory["model/config.json"], "{}");
        var before = Version();
        Assert.Equal(before, Version());
        File.WriteAllText(directory["model/notes.txt"], "not of the model");
        Assert.Equal(before, Version());
        File.WriteAllText(directory["model/config.json"], "{ }");
        Assert.NotEqual(before, Version());
        // Members of an ensemble, and what is not there.
        File.Delete(directory["model/config.json"]);
        var without = Version();
        Directory.CreateDirectory(directory["model/seed-1"]);
        File.WriteAllText(directory["model/seed-1/config.json"], "{}");
        Assert.NotEqual(without, Version());
        Assert.Equal("", ModelFiles.Version([directory["none"]]));

        string Version() => ModelFiles.Version([directory["model"]]);
    }

    /// <summary>As a model that is saved replaces another; the server looks again and again, and must not stop with it.</summary>
    [Fact]
    public async Task A_directory_that_is_replaced_meanwhile_is_no_failure()
    {
        using var directory = new TemporaryDirectory();
        Directory.CreateDirectory(directory["model/seed-1"]);
        File.WriteAllText(directory["model/seed-1/config.json"], "{}");
        var replacing = Task.Run(() =>
        {
            for (var i = 0; i < 5000; i++)
            {
                Directory.Move(directory["model"], directory["old"]);
                Directory.Move(directory["old"], directory["model"]);
            }
        });
        while (!replacing.IsCompleted)
            ModelFiles.Version([directory["model"]]);
        await replacing;
    }
}
