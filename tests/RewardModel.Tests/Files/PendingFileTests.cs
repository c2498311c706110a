using RewardModel.Files;

namespace RewardModel.Tests.Files;

public sealed class PendingFileTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public void The_old_file_stands_until_the_commit()
    {
        var path = directory["a"];
        File.WriteAllText(path, "old");
        using var file = new PendingFile(path);
        file.Content.Write("new"u8);
        file.Flush();
        Assert.Equal("old", File.ReadAllText(path));
        file.Commit();
        Assert.Equal("new", File.ReadAllText(path));
        Assert.Equal(["a"], directory.FileNames());
    }

    [Fact]
    public void Without_a_commit_the_old_file_stays_and_nothing_else()
    {
        var path = directory["a"];
        File.WriteAllText(path, "old");
        using (var file = new PendingFile(path))
            file.Content.Write("new"u8);
        Assert.Equal("old", File.ReadAllText(path));
        Assert.Equal(["a"], directory.FileNames());
    }

    [Fact]
    public void What_a_killed_process_left_is_overwritten()
    {
        File.WriteAllText(directory["a.tmp"], "longer than the new content");
        PendingFile.WriteText(directory["a"], "new");
        Assert.Equal("new", File.ReadAllText(directory["a"]));
        Assert.Equal(["a"], directory.FileNames());
    }

    [Fact]
    public void Text_is_utf8_without_a_byte_order_mark()
    {
        PendingFile.WriteText(directory["a"], "Ä");
        Assert.Equal([0xc3, 0x84], File.ReadAllBytes(directory["a"]));
    }
}
