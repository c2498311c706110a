using System.Text;
using RewardModel.Reading;

namespace RewardModel.Tests.Reading;

public sealed class TableFilesTests
{
    [Theory]
    [InlineData("a.csv", "prompt,chosen,rejected\r\n\"a, b\",c,d\r\n", ',', true)]
    [InlineData("a", "\ufeffprompt,chosen,rejected\np,c,d\n", ',', true)]
    [InlineData("a.csv", "\"prompt\",\"good answer\"\n\"a\",\"b\"\n", ',', true)]
    [InlineData("a", "prompt;chosen\na;b\n", ';', true)]
    [InlineData("a.tsv", "prompt\tchosen\na\tb\n", '\t', true)]
    [InlineData("a.tsv", "Yes, it is.\tNo.\nIt is.\tNo!\n", '\t', false)]
    // Answers can look like the names of columns.
    [InlineData("a", "good\tok\tbad\n", '\t', false)]
    [InlineData("a.csv", "\"Yes, it is.\",No\n", ',', false)]
    [InlineData("a.csv.gz", "an answer\nanother\n", ',', false)]
    [InlineData("a.tsv", "answer\nyes\n", '\t', true)]
    public void Delimited_text_is_recognised_with_its_separator_and_header(string path, string text, char separator, bool hasHeader) =>
        Assert.Equal(
            new TableFile(path, TableFormat.Delimited) { Separator = separator, HasHeader = hasHeader },
            TableFiles.Of(Encoding.UTF8.GetBytes(text), path));

    [Theory]
    [InlineData("a.jsonl", "{\"prompt\": \"a,b\tc\"}\n")]
    [InlineData("a.csv", "{\"prompt\": \"a\", \"b\": 1}\n")]
    [InlineData("a.json", "[\n{\"a\": 1},\n{\"b\": 2}]")]
    [InlineData("a.jsonl", "\"hello, world\"\n")]
    [InlineData("a.txt", "Dear reader, look\nat this\n")]
    [InlineData("a.html", "<!doctype html>,a\tb")]
    [InlineData("a.csv", "")]
    [InlineData("a.csv", "a,b\0c")]
    [InlineData("a.jsonl", "a comment, which is a bad line\n{\"prompt\": \"p\"}\n")]
    public void What_is_no_table_is_none(string path, string text) => Assert.Null(TableFiles.Of(Encoding.UTF8.GetBytes(text), path));

    [Fact]
    public void Parquet_is_known_by_its_first_bytes() =>
        Assert.Equal(new TableFile("a", TableFormat.Parquet), TableFiles.Of("PAR1\u0015"u8, "a"));
}
