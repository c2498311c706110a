using System.IO.Hashing;
using RewardModel.Files;

namespace RewardModel.Tests.Files;

public sealed class FileManifestTests : IDisposable
{
    private const string name = "manifest.json";

    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public void Runs_are_what_was_written_in_any_order_with_their_checksums()
    {
        using var file = new PendingFile(directory["a"]);
        file.Content.SetLength(9);
        file.Content.Position = 4;
        file.Content.Write("ef"u8);
        file.Content.Write("ghi"u8);
        file.Content.Position = 0;
        file.Content.Write("abcd"u8);
        file.Commit();
        Assert.Equal("abcdefghi", File.ReadAllText(directory["a"]));
        Assert.Equal(
            [new FileRun(4, 5, XxHash128.HashToUInt128("efghi"u8)), new FileRun(0, 4, XxHash128.HashToUInt128("abcd"u8))], file.Runs);
        new FileManifest([ManifestFile.Of("a", 9, file.Runs)]).Write(directory[name]);
        Assert.Empty(FileManifest.Read(directory.Path, name).ProblemsOf(directory.Path));
    }

    [Fact]
    public void An_empty_file_is_one_too()
    {
        File.WriteAllText(directory["a"], "");
        new FileManifest([FileManifest.Of(directory.Path, "a")]).Write(directory[name]);
        Assert.Empty(FileManifest.Read(directory.Path, name).ProblemsOf(directory.Path));
        File.WriteAllText(directory["a"], "b");
        Assert.Equal(["a has 1 bytes; expected 0"], FileManifest.Read(directory.Path, name).ProblemsOf(directory.Path));
    }

    [Theory]
    [InlineData(0, "a has other bytes than were saved, between 0 and 3")]
    [InlineData(2, "a has other bytes than were saved, between 0 and 3")]
    [InlineData(3, "a has other bytes than were saved, between 3 and 6")]
    public void A_bit_that_is_flipped_is_found_and_where(int place, string expected)
    {
        var manifest = Saved();
        var bytes = File.ReadAllBytes(directory["a"]);
        bytes[place] ^= 0x10;
        File.WriteAllBytes(directory["a"], bytes);
        Assert.Equal([expected], manifest.ProblemsOf(directory.Path));
        // One of two that look together finds it.
        Assert.Single(Enumerable.Range(0, 2).SelectMany(share => manifest.ProblemsOf(directory.Path, share, 2)));
    }

    [Fact]
    public void Files_that_are_cut_longer_or_missing_are_found()
    {
        var manifest = Saved();
        File.WriteAllText(directory["a"], "abcde");
        Assert.Equal(["a has 5 bytes; expected 6"], manifest.ProblemsOf(directory.Path));
        File.WriteAllText(directory["a"], "abcdefg");
        Assert.Equal(["a has 7 bytes; expected 6"], manifest.ProblemsOf(directory.Path));
        File.Delete(directory["a"]);
        Assert.Equal(["'a' does not exist"], manifest.ProblemsOf(directory.Path));
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"files\":null}")]
    [InlineData("{\"files\":[null]}")]
    [InlineData("{\"files\":[{\"name\":\"a\",\"bytes\":6,\"checksums\":[]}]}")]
    [InlineData("{\"files\":[{\"name\":\"a\",\"bytes\":6,\"checksums\":[null]}]}")]
    [InlineData("{\"files\":[{\"name\":\"a\",\"bytes\":6,\"checksums\":[\"0 6\"]}]}")]
    [InlineData("{\"files\":[{\"name\":\"a\",\"bytes\":6,\"checksums\":[\"0 6 xyz\"]}]}")]
    [InlineData("{\"files\":[{\"name\":\"a\",\"bytes\":6,\"checksums\":[\"0 3 00\",\"2 4 00\"]}]}")]
    [InlineData("{\"files\":[{\"name\":\"a\",\"bytes\":6,\"checksums\":[\"0 99999999999999999999 00\"]}]}")]
    public void A_manifest_that_is_none_is_refused(string text)
    {
        File.WriteAllText(directory[name], text);
        Assert.Throws<FileRefusedException>(() => FileManifest.Read(directory.Path, name));
    }

    private FileManifest Saved()
    {
        File.WriteAllText(directory["a"], "abcdef");
        new FileManifest(
        [
            ManifestFile.Of(
                "a", 6, [new FileRun(3, 3, XxHash128.HashToUInt128("def"u8)), new FileRun(0, 3, XxHash128.HashToUInt128("abc"u8))]),
        ]).Write(directory[name]);
        return FileManifest.Read(directory.Path, name);
    }
}
