using System.IO.Compression;
using System.Text;
using RewardModel.Lists;
using RewardModel.Reading;

namespace RewardModel.Tests.Reading;

public sealed class DataRowsTests : IDisposable
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
        Assert.Equal([[(byte)'{', 0xe9, 0xff], [(byte)'}']], DataRows.Read(path).Select(line => line.Utf8.ToArray()));
    }

    [Fact]
    public void Escapes_of_lone_surrogates_come_as_replacement_characters_and_are_counted()
    {
        var path = Written("a.jsonl", "\"\\ud83d\"\n\"\\ud83d\\ude00\"\n\"\\ude00\\ud83d\"\n");
        Assert.Equal(
            [("\"\\ufffd\"", 1), ("\"\\ud83d\\ude00\"", 0), ("\"\\ufffd\\ufffd\"", 2)],
            DataRows.Read(path).Select(line => (Encoding.UTF8.GetString(line.Utf8.Span), line.LoneSurrogateCount)));
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
        AssertError(path, $"'{path}' is not a file, expected one of ranked lists. Check the path.");
    }

    [Fact]
    public void A_directory_is_not_a_file() =>
        AssertError(
            directory, $"'{directory}' is a directory, expected a file. Give one of the files in it.");

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

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_pipe_is_read_once_and_nothing_of_it_is_lost(bool isGzip)
    {
        var text = string.Concat(Enumerable.Range(1, 3000).Select(i => $"{{\"prompt\": \"number {i}\"}}\n"));
        var path = Path.Combine(directory, "pipe");
        Assert.Equal(0, ChildProcess.Run("mkfifo", path).ExitCode);
        var writing = Task.Run(() => File.WriteAllBytes(path, isGzip ? Gzip(text) : Encoding.UTF8.GetBytes(text)));
        using var pipe = new DataRows(path);
        Assert.Equal(
            Enumerable.Range(1, 3000).Select(i => $"{path}:{i} {{\"prompt\": \"number {i}\"}}"),
            pipe.Read().Select(line => $"{line.Source} {Encoding.UTF8.GetString(line.Utf8.Span)}"));
        await writing;
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_file_can_be_read_again(bool isGzip)
    {
        using var file = new DataRows(Written("a.jsonl", isGzip ? Gzip("{}\n[]\n") : Encoding.UTF8.GetBytes("{}\n[]\n")));
        Assert.Equal([1, 2], file.Read().Select(line => line.Source.Line));
        Assert.Equal([1, 2], file.Read().Select(line => line.Source.Line));
    }

    [Fact]
    public void Standard_input_is_called_by_its_name()
    {
        Assert.Equal("(standard input):17", new SourceLine(DataPath.NameOf("-"), 17).ToString());
        Assert.Equal("a-b.jsonl", DataPath.NameOf("a-b.jsonl"));
        Assert.Equal(
            ["standard input", "standard input", "'a.jsonl'"],
            new[] { "-", DataPath.NameOf("-"), "a.jsonl" }.Select(DataPath.Quoted));
        Assert.True(DataPath.Exists("-"));
        Assert.False(DataPath.Exists(directory));
    }

    [Theory]
    [InlineData("[{\"a\": 1}, {\"b\": \"]},[\\\"\"}]", "1 {\"a\": 1}|1 {\"b\": \"]},[\\\"\"}")]
    [InlineData("\n [\n  {\n   \"a\": [1, 2]\n  },\n\n  {\"b\": {}}\n]\n\n", "3 {\n   \"a\": [1, 2]\n  }|7 {\"b\": {}}\n")]
    [InlineData("[\r\n{}\r\n,\r\n{}\r\n]", "2 {}\r\n|4 {}\r\n")]
    [InlineData("[\n 5, \"a,b\", null, [1, [2]]]", "2 5|2 \"a,b\"|2 null|2 [1, [2]]")]
    [InlineData("[\n]", "")]
    [InlineData("{\n \"a\": {\n  \"b\": 1}\n}\n{\n \"c\": \"}\"\n}\n", "1 {\n \"a\": {\n  \"b\": 1}\n}|5 {\n \"c\": \"}\"\n}")]
    [InlineData("{\n \"a\": 1", "1 {\n \"a\": 1")]
    // Lines, each wrong or right in its own way.
    [InlineData("[\"p\", \"a\"]\n[]\n", "1 [\"p\", \"a\"]|2 []")]
    [InlineData("[]", "1 []")]
    [InlineData("{\n{\"a\": 1}\n", "1 {|2 {\"a\": 1}")]
    [InlineData("{\"a\":\n1}", "1 {\"a\":|2 1}")]
    public void An_array_and_objects_over_several_lines_are_read_as_their_items(string text, string items)
    {
        Assert.Equal(items, string.Join('|', Read(Written("a.json", text))));
        Assert.Equal(items, string.Join('|', Read(Written("b.json", "\ufeff" + text))));
        Assert.Equal(items, string.Join('|', Read(Written("a.json.gz", Gzip(text)))));
    }

    [Fact]
    public void A_quote_that_is_missing_spoils_no_more_than_its_item_where_braces_are_on_lines_of_their_own() => Assert.Equal(
        ["2 {\n \"a\": \"x,\n \"b\": 1\n}", "6 {\n \"c\": 2\n}\n"],
        Read(Written("a.json", "[\n{\n \"a\": \"x,\n \"b\": 1\n},\n{\n \"c\": 2\n}\n]\n")));

    [Fact]
    public void Long_arrays_are_read_to_their_end()
    {
        var texts = Enumerable.Range(0, 20_000).Select(i => $"{{\"prompt\": \"number {i}, [ and \\\"\"}}").ToArray();
        Assert.Equal(
            texts.Select((text, i) => $"{i + 2} {text}"),
            Read(Written("a.json", $"[\n{string.Join(",\n", texts)}]")));
    }

    [Fact]
    public void What_follows_an_array_is_an_error()
    {
        var path = Written("a.json", "[{}]\n\n[{}]\n");
        AssertError(
            path,
            $"'{path}' goes on after the end of its JSON array, in line 3; expected one array of objects, or one object a line. Make one "
            + "array of it, or take the brackets and the commas between the objects away.");
    }

    [Theory]
    [InlineData("[{}, {}, {", "in the item that begins in line 1")]
    [InlineData("[{},\n {},\n", "after 2 items")]
    [InlineData("[{},\n{\"a\": \"x}]\n", "in the item that begins in line 2")]
    public void An_array_without_its_end_is_an_error(string text, string where)
    {
        var path = Written("a.json", text);
        AssertError(
            path,
            $"'{path}' ends within its JSON array, {where}; expected ] at its end. It is only the beginning of a file, which is to be "
            + "copied or written again, or a quote is missing.");
    }

    [Theory]
    [InlineData("[{\"a\": [1}, {\"b\": 2}]", "1 {\"a\": [1}|1 {\"b\": 2}")]
    [InlineData("[{\"a\": {\"c\": 1}, {\"b\": 2}]\n", "1 {\"a\": {\"c\": 1}, {\"b\": 2}")]
    [InlineData("[{\"a\": 1}}, {\"b\": 2}]", "1 {\"a\": 1}}|1 {\"b\": 2}")]
    [InlineData("[{\"a\": 1} {\"b\": 2}, {}]", "1 {\"a\": 1} {\"b\": 2}|1 {}")]
    [InlineData("{\n\"a\": [1\n}\n{\n\"b\": 2}", "1 {\n\"a\": [1\n}|4 {\n\"b\": 2}")]
    [InlineData("{\n\"a\": 1}\nx\n{\n\"b\": 2}", "1 {\n\"a\": 1}|3 x\n|4 {\n\"b\": 2}")]
    public void A_bracket_that_is_missing_spoils_as_few_items_as_can_be(string text, string items) =>
        Assert.Equal(items, string.Join('|', Read(Written("a.json", text))));

    private static string[] Read(string path) =>
        [.. DataRows.Read(path).Select(line => $"{line.Source.Line} {Encoding.UTF8.GetString(line.Utf8.Span)}")];

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
