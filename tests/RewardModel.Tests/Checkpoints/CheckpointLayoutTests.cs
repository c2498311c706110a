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
}
