using System.IO.Compression;
using System.Text;
using DuckDB.NET.Data;
using RewardModel.Data;
using RewardModel.Reading;
using ZstdSharp;

namespace RewardModel.Tests.Data;

public sealed class DuckDbTablesTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public void Rows_of_Parquet_are_JSON_with_nested_columns_and_null_for_what_is_no_number()
    {
        var path = Parquet(
            "SELECT 'p' || i AS prompt, ['a', NULL, 'b \"quoted\" NaN'] AS answers, {x: i, y: [1.5, 'nan'::DOUBLE, '-inf'::DOUBLE]} AS info, "
            + "DATE '2026-01-02' AS the_day, 'NaN' AS t FROM range(3) r(i)");
        Assert.Equal(
            Enumerable.Range(0, 3).Select(i =>
                $$$"""{"prompt":"p{{{i}}}","answers":["a",null,"b \"quoted\" NaN"],"info":{"x":{{{i}}},"y":[1.5,null,null]},"the_day":"2026-01-02","t":"NaN"}"""),
            Rows(new TableFile(path, TableFormat.Parquet)));
    }

    [Fact]
    public void Cells_of_CSV_stay_the_text_that_they_are()
    {
        var path = Written("a.csv", "prompt,chosen,score\n007,\"x, \"\"y\"\"\nz\",1.50\nNaN,,true\n");
        Assert.Equal(
            ["""{"prompt":"007","chosen":"x, \"y\"\nz","score":"1.50"}""", """{"prompt":"NaN","chosen":null,"score":"true"}"""],
            Rows(new TableFile(path, TableFormat.Delimited) { Separator = ',', HasHeader = true }));
    }

    [Fact]
    public void Lists_without_a_header_may_have_any_number_of_answers_and_quotes_of_their_own()
    {
        var path = Written("a.tsv", "one\t\"two\tthree\nfour\tfive\n六\t七\t八\n");
        Assert.Equal(
            [
                """{"column0":"one","column1":"\"two","column2":"three"}""", """{"column0":"four","column1":"five","column2":null}""",
                """{"column0":"六","column1":"七","column2":"八"}""",
            ],
            Rows(new TableFile(path, TableFormat.Delimited) { Separator = '\t', HasHeader = false }));
    }

    [Theory]
    [InlineData(FileCompression.Gzip)]
    [InlineData(FileCompression.Zstd)]
    public void Compressed_tables_are_unpacked(FileCompression compression)
    {
        var path = directory["a.bin"];
        using (var file = File.Create(path))
        using (Stream packed = compression == FileCompression.Gzip
            ? new GZipStream(file, CompressionLevel.Fastest)
            : new CompressionStream(file))
            packed.Write("prompt\tchosen\np\tc\n"u8);
        Assert.Equal(
            ["""{"prompt":"p","chosen":"c"}"""],
            Rows(new TableFile(path, TableFormat.Delimited) { Separator = '\t', HasHeader = true, Compression = compression }));
    }

    [Fact]
    public void A_line_that_is_no_row_of_the_table_comes_with_its_problem_after_the_others()
    {
        var path = Written("a.csv", "prompt,chosen\np,c\nq,d,e,f\nr,g\n");
        var rows = new DuckDbTables().Read([new TableFile(path, TableFormat.Delimited) { Separator = ',', HasHeader = true }])
            .Select(row => row.Problem is null ? Encoding.UTF8.GetString(row.Utf8.Span) : $"{row.Line} {row.Problem}").ToArray();
        Assert.Equal(
            [
                """{"prompt":"p","chosen":"c"}""", """{"prompt":"r","chosen":"g"}""",
                "3 no row of cells: Expected Number of Columns: 2 Found: 3",
            ],
            rows);
    }

    [Fact]
    public void A_query_goes_over_files_of_all_formats_as_one_table()
    {
        var parquet = Parquet("SELECT 'q' AS question, 1 AS n");
        var json = Written("a.json", """[{"question": "r", "extra": {"a": [1]}, "n": 2}]""");
        var lines = Written("b.jsonl", """
            {"question": "s", "n": 3}
            {"question": "t", "n": 4.5}

            """);
        Assert.Equal(
            ["""{"prompt":"t","n":4.5}""", """{"prompt":"s","n":3.0}""", """{"prompt":"r","n":2.0}"""],
            Rows("SELECT question AS prompt, n FROM data WHERE n > 1 ORDER BY n DESC -- the best first",
                new TableFile(parquet, TableFormat.Parquet), new TableFile(json, TableFormat.Json), new TableFile(lines, TableFormat.Json)));
    }

    [Theory]
    [InlineData("SELECT nothing FROM data", "whose columns are question, n.")]
    [InlineData("SELEC", "whose columns are question, n.")]
    [InlineData("DROP TABLE data", "whose columns are question, n.")]
    public void A_query_that_cannot_be_run_is_told_with_the_columns(string query, string end)
    {
        var table = new TableFile(Parquet("SELECT 'q' AS question, 1 AS n"), TableFormat.Parquet);
        var message = Assert.Throws<RankedDataException>(() => Rows(query, table)).Message;
        Assert.StartsWith($"The query '{query}' can't be run: ", message);
        Assert.EndsWith($"Expected a SELECT over the table data, {end}", message);
        Assert.DoesNotContain("\n", message);
    }

    [Fact]
    public void A_damaged_file_is_told_by_its_name()
    {
        var path = Parquet("SELECT 'q' AS question, 1 AS n");
        var bytes = File.ReadAllBytes(path);
        File.WriteAllBytes(path, bytes[..(bytes.Length / 2)]);
        Assert.StartsWith(
            $"'{path}' can't be read as Parquet: ",
            Assert.Throws<RankedDataException>(() => Rows(new TableFile(path, TableFormat.Parquet))).Message);
    }

    private static string[] Rows(params TableFile[] files) => Rows(null!, files);

    private static string[] Rows(string query, params TableFile[] files) =>
        [.. new DuckDbTables().Read(files, query).Select(row => Encoding.UTF8.GetString(row.Utf8.Span))];

    private string Written(string name, string text)
    {
        File.WriteAllText(directory[name], text);
        return directory[name];
    }

    private string Parquet(string select)
    {
        using var connection = new DuckDBConnection("DataSource=:memory:");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = $"COPY ({select}) TO '{directory["a.parquet"]}' (FORMAT PARQUET)";
        command.ExecuteNonQuery();
        return directory["a.parquet"];
    }
}
