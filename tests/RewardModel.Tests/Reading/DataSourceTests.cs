using RewardModel.Reading;

namespace RewardModel.Tests.Reading;

public sealed class DataSourceTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public DataSourceTests()
    {
        foreach (var name in new[] { "b.jsonl", "a.parquet", "part/c.csv.gz", "part/.hidden/d.jsonl", "part/README.md", "e=2.jsonl", "part/x/f.json", "dataset_infos.json" })
        {
            Directory.CreateDirectory(Path.GetDirectoryName(directory[name])!);
            File.WriteAllText(directory[name], "{}");
        }
    }

    public void Dispose() => directory.Dispose();

    [Fact]
    public void A_folder_is_its_files_of_data_and_those_of_its_folders_by_name() =>
        Assert.Equal(["a.parquet", "b.jsonl", "e=2.jsonl", "part/c.csv.gz", "part/x/f.json"], Files(directory.Path));

    [Theory]
    [InlineData("*.jsonl", "b.jsonl", "e=2.jsonl")]
    [InlineData("?.parquet", "a.parquet")]
    [InlineData("part/*", "part/README.md", "part/c.csv.gz")]
    [InlineData("**/*.json", "dataset_infos.json", "part/x/f.json")]
    [InlineData("part/**/f.json", "part/x/f.json")]
    [InlineData("*/x/*", "part/x/f.json")]
    public void A_pattern_is_the_files_that_it_matches(string pattern, params string[] files) =>
        Assert.Equal(files, Files(directory[pattern]));

    [Fact]
    public void A_weight_stands_behind_the_path_unless_it_is_a_part_of_it()
    {
        var sources = DataSource.Of([directory["b.jsonl"] + "=0.7", directory["e=2.jsonl"], directory["*.parquet"] + "=3", "-"]);
        Assert.Equal([0.7, 1, 3, 1], sources.Select(source => source.Weight));
        Assert.Equal([directory["b.jsonl"], directory["e=2.jsonl"], directory["*.parquet"], "-"], sources.Select(source => source.Name));
        Assert.True(sources[3].IsStandardInput);
    }

    [Fact]
    public void All_paths_that_cannot_be_read_are_told_at_once()
    {
        Directory.CreateDirectory(directory["empty"]);
        Directory.CreateDirectory(directory["both"]);
        File.WriteAllText(directory["both/rm_train.jsonl"], "{}");
        File.WriteAllText(directory["both/rm_test.jsonl"], "{}");
        var exception = Assert.Throws<RankedDataException>(() => DataSource.Of(
            [directory["none.jsonl"], directory["*.tsv"], directory["empty"], directory["both"], directory["b.jsonl"] + "=-1"]));
        Assert.Equal(
            $"""
            '{directory["none.jsonl"]}' is not a file; expected a file, a folder, a pattern such as 'data/*.parquet', or - for standard input. Check the path.
            '{directory["*.tsv"]}' matches no file; expected a file, a folder or a pattern that matches files.
            '{directory["empty"]}' holds no file of data; expected files that end with .jsonl, .ndjson, .json, .parquet, .csv, .tsv, also with .gz or .zst.
            '{directory["both"]}' holds parts for training and for evaluation ('{directory["both/rm_train.jsonl"]}' and '{directory["both/rm_test.jsonl"]}'); expected one of them. Give a pattern such as '{directory["both/**/train*"]}'.
            '{directory["b.jsonl"]}=-1' has the weight -1; expected a finite number above 0.
            """, exception.Message);
    }

    private IEnumerable<string> Files(string path) =>
        Assert.Single(DataSource.Of(path)).Files.Select(file => Path.GetRelativePath(directory.Path, file));

    [Fact]
    public void Folders_that_are_links_are_not_entered_and_files_that_lead_elsewhere_are_refused()
    {
        using var elsewhere = new TemporaryDirectory();
        File.WriteAllText(elsewhere["secret.jsonl"], "{}");
        using var folder = new TemporaryDirectory();
        File.WriteAllText(folder["a.jsonl"], "{}");
        Directory.CreateSymbolicLink(folder["loop"], ".");
        Directory.CreateSymbolicLink(folder["other"], elsewhere.Path);
        File.WriteAllText(folder["empty.jsonl"], "");
        Assert.Equal([folder["a.jsonl"]], Assert.Single(DataSource.Of(folder.Path)).Files);
        Assert.Equal([folder["a.jsonl"]], Assert.Single(DataSource.Of(folder["**/*.jsonl"])).Files);
        File.CreateSymbolicLink(folder["b.jsonl"], elsewhere["secret.jsonl"]);
        foreach (var path in new[] { folder.Path, folder["*.jsonl"] })
            Assert.Contains(
                $"'b.jsonl' is a link to '{elsewhere["secret.jsonl"]}'", Assert.Throws<RankedDataException>(() => DataSource.Of(path)).Message);
        // What the user names is the user's to name.
        Assert.Equal([folder["b.jsonl"]], Assert.Single(DataSource.Of(folder["b.jsonl"])).Files);
    }

    [Fact]
    public void A_pipe_in_a_folder_is_not_waited_for()
    {
        if (OperatingSystem.IsWindows())
            return;
        using var folder = new TemporaryDirectory();
        File.WriteAllText(folder["a.jsonl"], "{}");
        using (var make = System.Diagnostics.Process.Start("mkfifo", [folder["pipe.jsonl"]]))
            make.WaitForExit();
        Assert.Equal([folder["a.jsonl"]], Assert.Single(DataSource.Of(folder.Path)).Files);
    }
}
