using RewardModel.Training.Data;

namespace RewardModel.Tests.Training.Data;

public sealed class ContentDigestTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public void Every_byte_and_the_order_of_the_files_count()
    {
        var random = new SplitMix64(1);
        // Longer than a block.
        byte[] large = [.. Enumerable.Range(0, 5_000_000).Select(_ => (byte)random.Next())];
        var changed = (byte[])large.Clone();
        changed[4_999_999] ^= 1;
        string[] files = [File("large", large), File("changed", changed), File("cut", large[..^1]), File("empty", []), File("small", [1])];
        string[][] sets =
        [
            [], .. files.Select(file => (string[])[file]), [files[0], files[4]], [files[4], files[0]], [files[3], files[3]], [files[4], files[3]],
        ];
        Assert.Equal(sets.Length, sets.Select(set => ContentDigest.Of(set)).Distinct().Count());
    }

    [Fact]
    public void The_files_names_do_not_count() => Assert.Equal(ContentDigest.Of([File("a", [1, 2])]), ContentDigest.Of([File("b", [1, 2])]));

    [Fact]
    public void A_digest_is_the_same_for_ever() =>
        Assert.Equal("a9aa8cdc0d839c56be2e06da91e149e8", ContentDigest.Of([File("a", [1, 2, 3])]));

    private string File(string name, byte[] bytes)
    {
        System.IO.File.WriteAllBytes(directory[name], bytes);
        return directory[name];
    }
}
