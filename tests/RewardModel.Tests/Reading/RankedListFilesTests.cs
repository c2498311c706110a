using System.Text;
using DuckDB.NET.Data;
using RewardModel.Data;
using RewardModel.Layouts;
using RewardModel.Lists;
using RewardModel.Reading;
using ZstdSharp;

namespace RewardModel.Tests.Reading;

public sealed class RankedListFilesTests : IDisposable
{
    private const string Pair = """{"prompt": "p", "chosen": "good", "rejected": "bad"}""";

    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    public static TheoryData<string> Formats => ["a.jsonl", "a.json", "a.csv", "a.tsv", "a.parquet", "a.jsonl.zst", "a-utf16.jsonl", "a-utf16.csv"];

    [Theory]
    [MemberData(nameof(Formats))]
    public async Task A_file_of_any_format_holds_the_same_list_whatever_its_name(string name)
    {
        Write(directory["file"], name);
        var list = Assert.Single(await Read(new RankedListFiles(directory["file"]) { Tables = new DuckDbTables() }));
        Assert.Equal(("p", "good", "bad"), (list.Prompt, list.Answers[0], list.Answers[1]));
        Assert.True(list.ScoresAreOrder);
        Assert.Equal(name is "a.csv" or "a.tsv" or "a.parquet" or "a-utf16.csv", list.Source.IsRow);
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public async Task A_pipe_of_any_format_holds_the_same_list(string name)
    {
        if (OperatingSystem.IsWindows())
            return;
        Write(directory["file"], name);
        using var process = System.Diagnostics.Process.Start("mkfifo", directory["pipe"]);
        await process.WaitForExitAsync();
        using var feeding = System.Diagnostics.Process.Start("sh", ["-c", $"cat '{directory["file"]}' > '{directory["pipe"]}'"]);
        Assert.Equal("p", Assert.Single(await Read(new RankedListFiles(directory["pipe"]) { Tables = new DuckDbTables() })).Prompt);
        await feeding.WaitForExitAsync();
    }

    [Fact]
    public async Task Rows_of_one_answer_are_joined_over_the_files_of_a_source()
    {
        File.WriteAllText(directory["1.csv"], "prompt,response,score\np,a,1\nq,c,5\n");
        File.WriteAllText(directory["2.csv"], "prompt,response,score\np,b,2.5\nq,d,5\n");
        var lists = await Read(new RankedListFiles(directory["*.csv"]) { Tables = new DuckDbTables() });
        Assert.Equal(["p: a 1, b 2.5", "q: c 5, d 5"], lists.Select(Text));
        Assert.Equal($"{directory["1.csv"]}, row 1", lists[0].Source.ToString());
    }

    [Fact]
    public async Task Answers_of_one_list_have_one_margin_and_one_weight()
    {
        File.WriteAllText(directory["a.csv"], "prompt,response,score,weight\np,a,1,2\np,b,2,3\nq,c,1,4\nq,d,2,4\n");
        var files = new RankedListFiles(directory["a.csv"]) { Tables = new DuckDbTables() };
        Assert.Equal(
            [$"{directory["a.csv"]}, row 2: \"weight\" is 3, expected 2 as in {directory["a.csv"]}, row 1: both are answers of one list"],
            (await Assert.ThrowsAsync<RankedDataException>(() => Read(files))).BadLines.Select(line => line.ToString()));
    }

    [Fact]
    public void What_can_be_read_once_is_known_whichever_of_several_files_it_is()
    {
        if (OperatingSystem.IsWindows())
            return;
        File.WriteAllText(directory["a.jsonl"], Pair);
        System.Diagnostics.Process.Start("mkfifo", directory["pipe"]).WaitForExit();
        bool CanReadAgain(params string[] paths)
        {
            using var rows = new RankedListFiles(new DataPaths(paths)).Open();
            return rows.CanReadAgain;
        }
        Assert.True(CanReadAgain(directory["a.jsonl"]));
        Assert.False(CanReadAgain(directory["a.jsonl"], directory["pipe"]));
        Assert.False(CanReadAgain(directory["a.jsonl"], "-"));
        Assert.Equal(
            "Standard input is given more than once, and can be read once; give it once.",
            Assert.Throws<RankedDataException>(() => CanReadAgain("-", "-")).Message);
    }

    [Fact]
    public async Task Numbers_of_a_table_may_be_text()
    {
        File.WriteAllText(directory["a.csv"], "prompt,chosen,rejected,margin,weight,score_chosen,score_rejected\np,a,b,1.5,2,9,-1e0\n");
        var list = Assert.Single(await Read(new RankedListFiles(directory["a.csv"]) { Tables = new DuckDbTables() }));
        Assert.Equal((1.5, 2.0, "p: a 9, b -1"), (list.Margin!.Value, list.Weight, Text(list)));
    }

    [Fact]
    public async Task A_header_of_any_names_is_one_for_a_query()
    {
        File.WriteAllText(directory["a.tsv"], "frage\tgut\tschlecht\nq\tg\tb\n");
        var files = new RankedListFiles(directory["a.tsv"]) { Tables = new DuckDbTables(), Query = "SELECT frage AS prompt, [gut, schlecht] AS answers FROM data" };
        Assert.Equal(["q: g 1, b 0"], (await Read(files)).Select(Text));
        File.WriteAllText(directory["a.csv"], "frage,gut,schlecht\nq,g,b\n");
        var exception = await Assert.ThrowsAsync<RankedDataException>(() => Read(new RankedListFiles(directory["a.csv"]) { Tables = new DuckDbTables() }));
        Assert.Equal(
            $"""
            '{directory["a.csv"]}' has 1 bad row:
            {directory["a.csv"]}, row 1: no answers, expected "answers", or "chosen" and "rejected", or "answer_ids"; found "frage", "gut", "schlecht", of which --query can make them
            Correct these lines, or skip them (--on-bad-data skip; in code, BadData.Skip).
            """, exception.Message);
    }

    [Fact]
    public async Task A_row_of_another_layout_is_told_with_its_name()
    {
        File.WriteAllText(directory["a.jsonl"], $$"""
            {{Pair}}
            {"qid": 1, "question": "q", "response_j": "a", "response_k": "b"}
            """);
        Assert.Equal(
            ["looks like StackLLaMA's pairs of answers (--layout stackllama), expected ranked lists as in line 1: a file has one layout"],
            (await Assert.ThrowsAsync<RankedDataException>(() => Read(new RankedListFiles(directory["a.jsonl"])))).BadLines.Select(line => line.Reason));
    }

    [Fact]
    public async Task A_query_makes_lists_of_any_columns()
    {
        File.WriteAllText(directory["a.jsonl"], """{"question": "q", "good": "g", "bad": "b", "site": "s"}""");
        var list = Assert.Single(await Read(new RankedListFiles(directory["a.jsonl"])
        {
            Tables = new DuckDbTables(),
            Query = "SELECT question AS prompt, [good, bad] AS answers, site FROM data",
            GroupBy = "site",
        }));
        Assert.Equal(("q: g 1, b 0", "s", "(query), row 1"), (Text(list), list.Group, list.Source.ToString()));
    }

    [Fact]
    public async Task A_layout_in_code_comes_before_those_that_are_known_and_its_errors_are_bad_rows()
    {
        File.WriteAllText(directory["a.jsonl"], """
            {"task": "t", "solutions": ["a", "b"], "marks": [1, 2]}
            {"task": "t", "solutions": ["a", "b"], "marks": [1]}
            {"task": 7, "solutions": [], "marks": []}
            """);
        var exams = new DataLayout(
            "exams", row => row.TryGetProperty("marks", out _),
            row => new RankedList(
                row.GetProperty("task").GetString()!, [.. row.GetProperty("solutions").EnumerateArray().Select(text => text.GetString()!)],
                [.. row.GetProperty("marks").EnumerateArray().Select(mark => mark.GetDouble())]));
        var exception = await Assert.ThrowsAsync<RankedDataException>(() => Read(new RankedListFiles(directory["a.jsonl"]) { Layouts = [exams] }));
        Assert.Equal([2, 3], exception.BadLines.Select(line => line.Source.Line));
        var lists = await Read(new RankedListFiles(directory["a.jsonl"]) { Layouts = [exams], Layout = "exams", OnBadData = BadData.Skip });
        Assert.Equal(["t: a 1, b 2"], lists.Select(Text));
    }

    [Fact]
    public async Task Tables_need_a_reader()
    {
        Write(directory["a.parquet"], "a.parquet");
        Assert.Equal(
            $"'{directory["a.parquet"]}' is a Parquet file, which needs a reader of tables; expected JSON lines or a JSON array. In code, give "
            + "DuckDbTables of the package RewardModel.Data.",
            (await Assert.ThrowsAsync<RankedDataException>(() => Read(new RankedListFiles(directory["a.parquet"])))).Message);
    }

    [Fact]
    public async Task A_group_has_to_be_there()
    {
        File.WriteAllText(directory["a.jsonl"], $$"""
            {{Pair[..^1]}}, "source": "s"}
            {{Pair}}
            {{Pair[..^1]}}, "source": ["s"]}
            """);
        var exception = await Assert.ThrowsAsync<RankedDataException>(() => Read(new RankedListFiles(directory["a.jsonl"]) { GroupBy = "source" }));
        Assert.Equal(
            [
                "\"source\" is missing, expected what the row belongs to (--group-by)",
                "\"source\" is neither text nor a number, expected what the row belongs to (--group-by)",
            ],
            exception.BadLines.Select(line => line.Reason));
    }

    [Fact]
    public async Task An_expression_of_scores_that_no_row_needs_is_an_error()
    {
        File.WriteAllText(directory["a.jsonl"], Pair);
        Assert.StartsWith(
            "--score-from 'a + b' has no effect: ",
            (await Assert.ThrowsAsync<RankedDataException>(() => Read(new RankedListFiles(directory["a.jsonl"]) { ScoreFrom = "a + b" }))).Message);
        Assert.StartsWith(
            "The layout 'none' is not known; expected one of: ",
            (await Assert.ThrowsAsync<ArgumentException>(() => Read(new RankedListFiles(directory["a.jsonl"]) { Layout = "none" }))).Message);
    }

    private static string Text(RankedList list) =>
        $"{list.Prompt}: {string.Join(", ", list.Answers.Zip(list.Scores, (answer, score) => FormattableString.Invariant($"{answer} {score}")))}";

    private static async Task<List<RankedList>> Read(RankedListFiles files)
    {
        var lists = new List<RankedList>();
        await foreach (var list in files.ReadAsync())
            lists.Add(list);
        return lists;
    }

    private static void Write(string path, string format)
    {
        const string cells = "prompt,chosen,rejected\np,good,bad\n";
        switch (format)
        {
            case "a.jsonl":
                File.WriteAllText(path, Pair);
                break;
            case "a.json":
                File.WriteAllText(path, $"[\n{Pair}\n]");
                break;
            case "a.csv":
                File.WriteAllText(path, cells);
                break;
            case "a.tsv":
                File.WriteAllText(path, cells.Replace(',', '\t'));
                break;
            case "a-utf16.jsonl":
                File.WriteAllText(path, Pair, Encoding.Unicode);
                break;
            case "a-utf16.csv":
                File.WriteAllText(path, cells, Encoding.BigEndianUnicode);
                break;
            case "a.jsonl.zst":
                using (var file = File.Create(path))
                using (var packed = new CompressionStream(file))
                    packed.Write(Encoding.UTF8.GetBytes(Pair));
                break;
            default:
                using (var connection = new DuckDBConnection("DataSource=:memory:"))
                {
                    connection.Open();
                    using var command = connection.CreateCommand();
                    command.CommandText = $"COPY (SELECT 'p' AS prompt, 'good' AS chosen, 'bad' AS rejected) TO '{path}' (FORMAT PARQUET)";
                    command.ExecuteNonQuery();
                }
                break;
        }
    }
}
