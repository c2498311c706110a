using RewardModel.Files;

namespace RewardModel.Tests.Files;

public sealed class FolderFileTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public void A_file_of_the_directory_is_readable()
    {
        File.WriteAllText(directory["a"], "");
        Assert.Null(FolderFile.WhyRefused(directory.Path, "a"));
    }

    [Fact]
    public void A_missing_file_is_not() => Assert.Equal("'a' does not exist", FolderFile.WhyRefused(directory.Path, "a"));

    [Fact]
    public void A_link_within_the_directory_is_readable()
    {
        File.WriteAllText(directory["a"], "");
        File.CreateSymbolicLink(directory["b"], "a");
        Assert.Null(FolderFile.WhyRefused(directory.Path, "b"));
    }

    [Fact]
    public void A_link_out_of_the_directory_is_not()
    {
        var inner = Directory.CreateDirectory(directory["inner"]).FullName;
        File.WriteAllText(directory["secret"], "");
        File.CreateSymbolicLink(Path.Combine(inner, "a"), "../secret");
        Assert.Equal(
            $"'a' is a link to '{directory["secret"]}'; expected a file in the same directory",
            FolderFile.WhyRefused(inner, "a"));
    }

    [Fact]
    public void The_links_of_the_Hugging_Face_cache_are_readable_even_through_a_link_to_the_snapshot()
    {
        Directory.CreateDirectory(directory["blobs"]);
        File.WriteAllText(directory["blobs/0123"], "");
        var snapshot = Directory.CreateDirectory(directory["snapshots/main"]).FullName;
        File.CreateSymbolicLink(Path.Combine(snapshot, "a"), "../../blobs/0123");
        Directory.CreateSymbolicLink(directory["mine"], snapshot);
        Assert.Null(FolderFile.WhyRefused(snapshot, "a"));
        Assert.Null(FolderFile.WhyRefused(directory["mine"], "a"));
    }

    [Fact]
    public void A_file_below_the_directory_is_readable_and_a_path_out_of_it_is_not()
    {
        var inner = Directory.CreateDirectory(directory["inner/deep"]).Parent!.FullName;
        File.WriteAllText(Path.Combine(inner, "deep", "a"), "");
        File.WriteAllText(directory["secret"], "");
        Assert.Null(FolderFile.WhyRefused(inner, "deep/a"));
        Assert.Equal(
            $"'../secret' is a link to '{directory["secret"]}'; expected a file in the same directory", FolderFile.WhyRefused(inner, "../secret"));
    }

    [Fact]
    public void A_link_of_a_link_and_a_folder_that_is_one_lead_elsewhere_too()
    {
        var inner = Directory.CreateDirectory(directory["inner"]).FullName;
        Directory.CreateDirectory(directory["other"]);
        File.WriteAllText(directory["other/a"], "");
        Directory.CreateSymbolicLink(Path.Combine(inner, "folder"), directory["other"]);
        File.CreateSymbolicLink(Path.Combine(inner, "second"), "first");
        File.CreateSymbolicLink(Path.Combine(inner, "first"), "../other/a");
        foreach (var name in new[] { "folder/a", "second" })
            Assert.Equal(
                $"'{name}' is a link to '{directory["other/a"]}'; expected a file in the same directory", FolderFile.WhyRefused(inner, name));
    }

    [Fact]
    public void The_blobs_of_a_cache_may_lie_on_another_disk()
    {
        Directory.CreateDirectory(directory["disk"]);
        File.WriteAllText(directory["disk/0123"], "");
        var snapshot = Directory.CreateDirectory(directory["cache/snapshots/main"]).FullName;
        Directory.CreateSymbolicLink(directory["cache/blobs"], directory["disk"]);
        File.CreateSymbolicLink(Path.Combine(snapshot, "a"), "../../blobs/0123");
        Assert.Null(FolderFile.WhyRefused(snapshot, "a"));
    }

    [Fact]
    public void A_blob_of_another_model_of_the_cache_is_elsewhere()
    {
        Directory.CreateDirectory(directory["models--a/blobs"]);
        Directory.CreateDirectory(directory["models--b/blobs"]);
        File.WriteAllText(directory["models--b/blobs/0123"], "");
        var snapshot = Directory.CreateDirectory(directory["models--a/snapshots/main"]).FullName;
        File.CreateSymbolicLink(Path.Combine(snapshot, "a"), "../../../models--b/blobs/0123");
        Assert.Equal(
            $"'a' is a link to '{directory["models--b/blobs/0123"]}'; expected a file in the same directory", FolderFile.WhyRefused(snapshot, "a"));
    }

    [Fact]
    public void Links_in_a_circle_are_refused()
    {
        File.CreateSymbolicLink(directory["a"], "b");
        File.CreateSymbolicLink(directory["b"], "a");
        Assert.Equal("'a' is a link to 'a circle of links'; expected a file in the same directory", FolderFile.WhyRefused(directory.Path, "a"));
    }

    [Fact]
    public void Names_are_printed_short_and_without_control_characters() =>
        Assert.Equal($"'\\u001b{new string('x', 79)}...' does not exist", FolderFile.WhyRefused(directory.Path, $"\u001b{new string('x', 200)}"));
}
