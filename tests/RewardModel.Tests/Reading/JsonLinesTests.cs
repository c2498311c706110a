using System.IO.Compression;
using System.Text;
using RewardModel.Reading;

namespace RewardModel.Tests.Reading;

public sealed class JsonLinesTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("json-lines-").FullName;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Fact]
    public void Lines_come_with_their_numbers_and_empty_ones_are_left_out() =>
        Assert.Equal(["2 {}", "5 []"], Read(Written("a.jsonl", "\n{}\n \t\n\n[]")));

    [Fact]
    public void A_byte_order_mark_and_carriage_returns_do_not_matter() =>
        Assert.Equal(["1 {}", "3 []"], Read(Written("a.jsonl", "\ufeff{}\r\n\r\n[]\r\n")));

    [Fact]
    public void Line_separators_of_Unicode_inside_a_text_do_not_end_the_line() =>
        Assert.Equal(["1 \"a\u2028b\u0085c\""], Read(Written("a.jsonl", "\"a\u2028b\u0085c\"\n")));

    [Fact]
    public void Bytes_that_are_not_UTF8_come_as_they_are()
    {
        var path = Written("a.jsonl", [(byte)'{', 0xe9, 0xff, (byte)'\n', (byte)'}']);
        Assert.Equal([[(byte)'{', 0xe9, 0xff], [(byte)'}']], JsonLines.Read(path).Select(line => line.Utf8.ToArray()));
    }

    [Fact]
    public void Escapes_of_lone_surrogates_come_as_replacement_characters_and_are_counted()
    {
        var path = Written("a.jsonl", "\"\\ud83d\"\n\"\\ud83d\\ude00\"\n\"\\ude00\\ud83d\"\n");
        Assert.Equal(
            [("\"\\ufffd\"", 1), ("\"\\ud83d\\ude00\"", 0), ("\"\\ufffd\\ufffd\"", 2)],
            JsonLines.Read(path).Select(line => (Encoding.UTF8.GetString(line.Utf8.Span), line.LoneSurrogateCount)));
    }

    [Theory]
    [InlineData("a.jsonl.gz")]
    [InlineData("a.jsonl")]
    public void Gzip_is_known_by_its_first_bytes(string name) =>
        Assert.Equal(["1 {}", "2 []"], Read(Written(name, Gzip("{}\n[]\n"))));

    [Theory]
    [InlineData("\n")]
    [InlineData("{}")]
    [InlineData("{}\n")]
    public void Gzip_gives_the_lines_of_the_plain_file(string text) =>
        Assert.Equal(Read(Written("a.jsonl", text)), Read(Written("a.jsonl.gz", Gzip(text))));

    [Fact]
    public void Gzip_files_joined_to_one_are_read_to_the_end() =>
        Assert.Equal(["1 {}", "2 []"], Read(Written("a.jsonl.gz", [.. Gzip("{}\n"), .. Gzip("[]\n")])));

    [Fact]
    public void A_missing_file_is_an_error()
    {
        var path = Path.Combine(directory, "absent.jsonl");
        AssertError(path, $"'{path}' is not a file, expected JSON lines, plain or gzip. Check the path.");
    }

    [Fact]
    public void A_directory_is_not_a_file() =>
        AssertError(directory, $"'{directory}' is not a file, expected JSON lines, plain or gzip. Check the path.");

    [Theory]
    [InlineData("{}")]
    [InlineData("")]
    public void A_plain_file_named_gz_is_an_error(string content)
    {
        var path = Written("a.jsonl.gz", content);
        AssertError(path, $"'{path}' is not gzip, expected it from its name. Compress it, or take .gz off its name.");
    }

    [Fact]
    public void Gzip_that_is_cut_off_anywhere_is_an_error()
    {
        var whole = Gzip(string.Concat(Enumerable.Range(0, 20).Select(i => $"{{\"prompt\": \"{i}\", \"answers\": [\"{i * i}\"]}}\n")));
        for (var length = 2; length < whole.Length; length++)
            AssertDamaged(Written("cut.jsonl.gz", whole[..length]));
    }

    [Fact]
    public void Gzip_with_a_changed_byte_is_an_error()
    {
        var bytes = Gzip("{\"prompt\": \"p\"}\n");
        bytes[bytes.Length / 2] ^= 0x10;
        AssertDamaged(Written("changed.jsonl.gz", bytes));
    }

    private static string[] Read(string path) =>
        [.. JsonLines.Read(path).Select(line => $"{line.Source.Line} {Encoding.UTF8.GetString(line.Utf8.Span)}")];

    private static void AssertDamaged(string path) =>
        AssertError(path, $"'{path}' is damaged gzip, or only the beginning of it. Copy or compress it again.");

    private static void AssertError(string path, string message)
    {
        var exception = Assert.Throws<RankedDataException>(() => Read(path));
        Assert.Equal(message, exception.Message);
        Assert.Empty(exception.BadLines);
    }

    private static byte[] Gzip(string text)
    {
        using var bytes = new MemoryStream();
        using (var gzip = new GZipStream(bytes, CompressionLevel.Optimal))
            gzip.Write(Encoding.UTF8.GetBytes(text));
        return bytes.ToArray();
    }

    private string Written(string name, string text) => Written(name, Encoding.UTF8.GetBytes(text));

    private string Written(string name, byte[] bytes)
    {
        var path = Path.Combine(directory, name);
        File.WriteAllBytes(path, bytes);
        return path;
    }
}
