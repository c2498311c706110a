using RewardModel.Checkpoints;

namespace RewardModel.Tests.Checkpoints;

public sealed class CheckpointLayoutTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public void Shards_are_numbered_from_1_with_five_digits() =>
        Assert.Equal("model-00002-of-00013.safetensors", CheckpointLayout.ShardFile(2, 13));

    [Theory]
    [InlineData("model.safetensors", true)]
    [InlineData("model.safetensors.index.json", true)]
    [InlineData("model-00001-of-00002.safetensors", true)]
    [InlineData("value_head.safetensors", true)]
    [InlineData("model-1-of-2.safetensors", false)]
    [InlineData("model-00001-of-00002.safetensors.tmp", false)]
    [InlineData("config.json", false)]
    public void Weight_files_are_known_by_their_names(string name, bool expected) =>
        Assert.Equal(expected, CheckpointLayout.IsWeightFile(name));

    [Theory]
    [InlineData("model-00001-of-00002.safetensors", true)]
    [InlineData("..a", true)]
    [InlineData("", false)]
    [InlineData(".", false)]
    [InlineData("..", false)]
    [InlineData("../a", false)]
    [InlineData("..\\a", false)]
    [InlineData("/etc/passwd", false)]
    [InlineData("sub/a", false)]
    [InlineData("a\0b", false)]
    public void A_plain_name_leads_nowhere_else(string name, bool expected) =>
        Assert.Equal(expected, CheckpointLayout.IsPlainName(name));

    [Fact]
    public void A_file_of_the_directory_is_readable()
    {
        File.WriteAllText(directory["a"], "");
        Assert.Null(CheckpointLayout.WhyUnreadable(directory.Path, "a"));
    }

    [Fact]
    public void A_missing_file_is_not() => Assert.Equal("'a' does not exist", CheckpointLayout.WhyUnreadable(directory.Path, "a"));

    [Fact]
    public void A_link_within_the_directory_is_readable()
    {
        File.WriteAllText(directory["a"], "");
        File.CreateSymbolicLink(directory["b"], "a");
        Assert.Null(CheckpointLayout.WhyUnreadable(directory.Path, "b"));
    }

    [Fact]
    public void A_link_out_of_the_directory_is_not()
    {
        var inner = Directory.CreateDirectory(directory["inner"]).FullName;
        File.WriteAllText(directory["secret"], "");
        File.CreateSymbolicLink(Path.Combine(inner, "a"), "../secret");
        Assert.Equal(
            $"'a' is a link to '{directory["secret"]}'; expected a file in the checkpoint's own directory",
            CheckpointLayout.WhyUnreadable(inner, "a"));
    }

    [Fact]
    public void The_links_of_the_Hugging_Face_cache_are_readable_even_through_a_link_to_the_snapshot()
    {
        Directory.CreateDirectory(directory["blobs"]);
        File.WriteAllText(directory["blobs/0123"], "");
        var snapshot = Directory.CreateDirectory(directory["snapshots/main"]).FullName;
        File.CreateSymbolicLink(Path.Combine(snapshot, "a"), "../../blobs/0123");
        Directory.CreateSymbolicLink(directory["mine"], snapshot);
        Assert.Null(CheckpointLayout.WhyUnreadable(snapshot, "a"));
        Assert.Null(CheckpointLayout.WhyUnreadable(directory["mine"], "a"));
    }
}
