using System.IO.Compression;
using System.Text;
using RewardModel.Checkpoints;
using RewardModel.Reading;
using RewardModel.Scoring;
using RewardModel.Tests.Tokenizers;
using RewardModel.Tokenizers;

namespace RewardModel.Tests.Reading;

public sealed class ForeignContentTests : IDisposable
{
    private const string Pointer =
        "version https://git-lfs.github.com/spec/v1\noid sha256:"
        + "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\nsize 90000\n";

    private const string IsPointer =
        "is a Git LFS pointer, not the file. Run `git lfs pull` in the clone, after `git lfs install`, or download the file itself.";

    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Theory]
    [InlineData(Pointer, "a Git LFS pointer, not the file")]
    [InlineData("<!DOCTYPE html>\n<html class=\"\">", "a web page, not the file")]
    [InlineData("\n  <HTML><head>", "a web page, not the file")]
    [InlineData("\ufeff<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code>", "a web page, not the file")]
    [InlineData("GGUF\u0003\0\0\0", "a GGUF file of llama.cpp")]
    [InlineData("PK\u0003\u0004\0\0", "a zip archive, as torch.save writes")]
    [InlineData("", null)]
    [InlineData("{\"version\": \"https://git-lfs.github.com\"}", null)]
    [InlineData("version of mine", null)]
    public void It_is_known_by_how_it_begins(string text, string? expected) =>
        Assert.Equal(expected, ForeignContent.Of(Encoding.UTF8.GetBytes(text))?.What);

    [Theory]
    [InlineData("model.safetensors", "'model.safetensors': the file ")]
    [InlineData("model.safetensors.index.json", "the index ")]
    [InlineData("config.json", "the file ")]
    [InlineData("reward_model.json", "the file ")]
    [InlineData("value_head.safetensors", "'value_head.safetensors': the file ")]
    public void Of_a_checkpoint_every_file_can_be_a_pointer(string name, string expected)
    {
        using (var model = new ScoringModel(TinyModel.Create()))
            model.Save(directory.Path, maxShardBytes: name.Contains("index", StringComparison.Ordinal) ? 4000 : 1_000_000);
        File.WriteAllText(directory[name], Pointer);
        var error = Assert.Throws<CheckpointException>(() => ScoringModel.Load(directory.Path));
        Assert.Contains($": {expected}{IsPointer}", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tokenizer.json")]
    [InlineData("tokenizer_config.json")]
    [InlineData("special_tokens_map.json")]
    [InlineData("tokenizer.model")]
    [InlineData("chat_template.jinja")]
    public void Of_a_tokenizer_too(string name)
    {
        using var folder = TokenizerFolder.ByteLevel();
        folder.Write(name, Pointer);
        var error = Assert.Throws<TokenizerException>(() => HuggingFaceTokenizer.Load(folder.Directory));
        Assert.Equal($"{folder.Directory}: {name}: the file {IsPointer}", error.Message);
    }

    [Theory]
    [InlineData("lists.jsonl", false)]
    [InlineData("lists.jsonl.gz", true)]
    public void And_data(string name, bool compressed)
    {
        using (var file = File.Create(directory[name]))
        using (Stream stream = compressed ? new GZipStream(file, CompressionLevel.Fastest) : file)
            stream.Write(Encoding.UTF8.GetBytes(Pointer));
        Assert.Equal(
            $"'{directory[name]}' {IsPointer}", Assert.Throws<RankedDataException>(() => RankedListReader.Read(directory[name])).Message);
    }

    [Fact]
    public void Empty_files_are_said_to_be_empty()
    {
        File.WriteAllText(directory["config.json"], "");
        Assert.EndsWith(
            "config.json: the file is empty, or it is not a regular file. Download or save the file again.",
            Assert.Throws<CheckpointException>(() => HuggingFaceConfig.Read(directory.Path)).Message, StringComparison.Ordinal);
        using var folder = new TokenizerFolder("");
        Assert.Equal(
            $"{folder.Directory}: tokenizer.json: the file is empty, or it is not a regular file. Download or save it again",
            Assert.Throws<TokenizerException>(() => HuggingFaceTokenizer.Load(folder.Directory)).Message);
    }
}
