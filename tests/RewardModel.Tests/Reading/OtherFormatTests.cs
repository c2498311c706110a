using System.Text;
using RewardModel.Reading;

namespace RewardModel.Tests.Reading;

public sealed class OtherFormatTests : IDisposable
{
    private const string Expected = ", expected JSON lines (one object a line), a JSON array of objects, Parquet, CSV or TSV. ";

    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Theory]
    [InlineData(
        "train.feather", "ARROW1\0\0", "an Arrow file",
        "Convert it: python3 -c \"import pandas; pandas.read_feather('DIR/train.feather').to_json('DIR/train.jsonl', orient='records', "
        + "lines=True)\"")]
    [InlineData(
        "train.arrow", "\u00ff\u00ff\u00ff\u00ff\u0010\u0001\0\0", "an Arrow stream",
        "Convert it: python3 -c \"from datasets import Dataset; Dataset.from_file('DIR/train.arrow').to_json('DIR/train.jsonl')\"")]
    [InlineData("train.zip", "PK\u0003\u0004\u0014\0", "a zip archive", "Unpack it: unzip 'DIR/train.zip'")]
    [InlineData(
        "train.json.xz", "\u00fd7zXZ\0\0", "compressed by xz", "Unpack it: xz -dc 'DIR/train.json.xz' > 'DIR/train.jsonl'")]
    [InlineData("train.bz2", "BZh91AY&SY", "compressed by bzip2", "Unpack it: bzip2 -dc 'DIR/train.bz2' > 'DIR/train.jsonl'")]
    [InlineData(
        "train.jsonl", "\u00ff\u00fe\0\0{\0\0\0", "text in UTF-32",
        "Convert it: iconv -f UTF-32 -t UTF-8 'DIR/train.jsonl' > 'DIR/train-utf8.jsonl'")]
    [InlineData(
        "train.yaml", "- prompt: a\n  answers: [b, c]\n", "text like YAML",
        "Convert it: python3 -c \"import json, yaml; json.dump(yaml.safe_load(open('DIR/train.yaml')), open('DIR/train.json', 'w'))\"")]
    [InlineData(
        "train.yaml", "prompt: a\nanswers: [b, c]\n", "text like YAML",
        "Convert it: python3 -c \"import json, yaml; json.dump(yaml.safe_load(open('DIR/train.yaml')), open('DIR/train.json', 'w'))\"")]
    [InlineData(
        "train.txt", "Dear reader, look\nat this\n", "text that is no JSON, beginning with 'Dear reader, look'",
        "Write each list as a JSON object.")]
    [InlineData("train.bin", "abc\0\u0001\u0002", "binary data", "Check the path.")]
    [InlineData("train.jsonl", "", "empty", "Check what should have written it.")]
    public void What_a_file_is_otherwise_is_said_in_one_sentence_with_what_to_do(string name, string bytes, string what, string advice)
    {
        var path = directory[name];
        File.WriteAllBytes(path, Encoding.Latin1.GetBytes(bytes));
        var exception = Assert.Throws<RankedDataException>(() => RankedListReader.Read(path));
        Assert.Equal($"'{path}' is {what}{Expected}{advice.Replace("DIR", directory.Path, StringComparison.Ordinal)}", exception.Message);
        Assert.Empty(exception.BadLines);
    }

    [Fact]
    public void A_tar_archive_is_known_inside_of_gzip()
    {
        var path = directory["train.tar.gz"];
        var tar = new byte[512];
        Encoding.ASCII.GetBytes("train.jsonl").CopyTo(tar, 0);
        Encoding.ASCII.GetBytes("ustar").CopyTo(tar, 257);
        using (var gzip = new System.IO.Compression.GZipStream(File.Create(path), System.IO.Compression.CompressionMode.Compress))
            gzip.Write(tar);
        Assert.StartsWith(
            $"'{path}' is a tar archive, expected ", Assert.Throws<RankedDataException>(() => RankedListReader.Read(path)).Message);
    }

    [Fact]
    public void A_file_that_should_be_gzip_is_named_only_where_its_first_bytes_say_what_it_is()
    {
        var path = directory["train.jsonl.gz"];
        File.WriteAllText(path, "version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 5\n");
        Assert.StartsWith(
            $"'{path}' is a Git LFS pointer", Assert.Throws<RankedDataException>(() => RankedListReader.Read(path)).Message);
        File.WriteAllText(path, "prompt,chosen,rejected\n");
        Assert.StartsWith($"'{path}' is not gzip, ", Assert.Throws<RankedDataException>(() => RankedListReader.Read(path)).Message);
    }

    [Fact]
    public void Standard_input_has_no_path_in_the_command() => Assert.Equal(
        $"standard input is compressed by bzip2{Expected}Unpack it: bzip2 -dc 'FILE' > 'NAME.jsonl'",
        OtherFormat.Sentence("BZh91"u8, "-"));

    [Theory]
    [InlineData("{\"prompt\": \"\\u0000\"}")]
    [InlineData("# a comment, which is a bad line\n{\"prompt\": \"p\"}\n")]
    [InlineData("a,b\n{\"prompt\": \"p\"}\n")]
    [InlineData("[1, 2]\nprompt: a\n")]
    [InlineData("\"a\\\"\\\\b\"\n")]
    [InlineData(" \n\n")]
    [InlineData("\ufeff{}")]
    public void JSON_with_bad_lines_is_still_JSON(string text) =>
        Assert.Null(OtherFormat.Sentence(Encoding.UTF8.GetBytes(text), "a.jsonl"));
}
