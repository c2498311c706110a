using RewardModel.Checkpoints;

namespace RewardModel.Tests.Checkpoints;

public sealed class HuggingFaceConfigTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    private string FilePath => directory["config.json"];

    public void Dispose() => directory.Dispose();

    [Fact]
    public void What_is_not_changed_is_written_back_as_it_was()
    {
        File.WriteAllText(
            FilePath, """{"model_type": "llama", "rms_norm_eps": 1e-06, "vocab_size": 211, "name": "Ä+<", "x": {"y": [1, null]}}""");
        var config = HuggingFaceConfig.Read(directory.Path);
        config.Json["vocab_size"] = 212;
        config.Write(directory.Path);
        Assert.Equal(
            """
            {
              "model_type": "llama",
              "rms_norm_eps": 1e-06,
              "vocab_size": 212,
              "name": "Ä+<",
              "x": {
                "y": [
                  1,
                  null
                ]
              }
            }

            """.ReplaceLineEndings("\n"),
            File.ReadAllText(FilePath));
    }

    [Theory]
    [InlineData("""{"model_type": "\ud800"}""", "1 escape")]
    [InlineData("""{"\ud800": [{"a": "\udc00 b"}]}""", "2 escapes")]
    public void Half_of_a_character_anywhere_is_an_error(string text, string count) => Assert.Equal(
        $"config.json: the file has {count} such as \\ud800 of half a character; expected whole characters. Download or save the file again.",
        Assert.Throws<CheckpointException>(() => HuggingFaceConfig.Parse(text, "config.json")).Message);

    [Fact]
    public void The_reader_names_the_file()
    {
        File.WriteAllText(FilePath, """{"a": 1}""");
        var reader = HuggingFaceConfig.Read(directory.Path).Reader();
        Assert.Equal(FilePath, Assert.Throws<CheckpointException>(reader.Finish).FilePath);
    }

    [Fact]
    public void A_directory_without_config_is_an_error()
    {
        var error = Assert.Throws<CheckpointException>(() => HuggingFaceConfig.Read(directory.Path));
        Assert.Equal(
            $"{directory.Path}: there is no config.json. "
            + "Expected the directory of a Hugging Face checkpoint, as save_pretrained writes it.",
            error.Message);
    }

    [Theory]
    [InlineData("[1]", "the file holds [1]; expected a JSON object")]
    [InlineData("null", "the file holds null; expected a JSON object")]
    [InlineData("", "the file is empty, or it is not a regular file")]
    [InlineData(" ", "the file is not JSON: The input does not contain any JSON tokens. "
        + "Expected the input to start with a valid JSON token, when isFinalBlock is true. LineNumber: 0 | BytePositionInLine: 1")]
    [InlineData("""{"a":1,"a":2}""", "the file is not JSON: Duplicate property 'a' encountered during deserialization")]
    public void A_file_that_is_no_json_object_is_an_error(string content, string problem)
    {
        File.WriteAllText(FilePath, content);
        var error = Assert.Throws<CheckpointException>(() => HuggingFaceConfig.Read(directory.Path));
        Assert.Equal($"{FilePath}: {problem}. Download or save the file again.", error.Message);
    }

    [Fact]
    public void A_file_of_a_gigabyte_is_refused_at_once()
    {
        using (var file = File.Create(FilePath))
            file.SetLength(1_000_000_000);
        Assert.Equal(
            $"{FilePath}: the file has 1000000000 bytes, too many for a configuration; expected at most 2000000. See whether it is the file that is meant.",
            Assert.Throws<CheckpointException>(() => HuggingFaceConfig.Read(directory.Path)).Message);
    }

    [Fact]
    public void A_link_out_of_the_directory_is_not_followed()
    {
        using var elsewhere = new TemporaryDirectory();
        File.WriteAllText(elsewhere["secret"], "");
        File.CreateSymbolicLink(FilePath, elsewhere["secret"]);
        Assert.Equal(
            $"{FilePath}: 'config.json' is a link to '{elsewhere["secret"]}'; expected a file in the same directory. Put the file itself there: cp -L copies what a link leads to.",
            Assert.Throws<CheckpointException>(() => HuggingFaceConfig.Read(directory.Path)).Message);
        // What the user names is the user's own.
        Assert.Contains("the file is empty", Assert.Throws<CheckpointException>(() => HuggingFaceConfig.ReadFile(FilePath)).Message);
    }

    [Fact]
    public void Deep_nesting_is_an_error()
    {
        File.WriteAllText(FilePath, "{\"a\":" + new string('[', 1_000_000));
        var error = Assert.Throws<CheckpointException>(() => HuggingFaceConfig.Read(directory.Path));
        Assert.StartsWith("the file is not JSON: The maximum configured depth of 64 has been exceeded", Assert.Single(error.Problems));
    }
}
