using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;
using RewardModel.Data;
using RewardModel.Fuzz.Mutation;
using RewardModel.Fuzz.Seeds;
using RewardModel.Layouts;
using RewardModel.Reading;
using RewardModel.Tests.Layouts;
using RewardModel.Training.Data;

namespace RewardModel.Fuzz.Targets;

/// <summary>Rows of data, in every layout and every file.</summary>
internal static class DataTargets
{
    private static readonly string[] rows =
    [
        .. LayoutSamples.All.Select(sample => sample.Json),
        """{"prompt_ids": [1, 5], "answer_ids": [[7, 2], [8, 9, 2]], "scores": [1.5, -2], "margin": 0.5, "weight": 2}""",
        """{"messages": [{"role": "user", "content": "a"}], "answers": ["b", [{"role": "assistant", "content": "c"}]], "ranks": [1, 2], "tools": [], "system": "s"}""",
        """{"prompt": "a", "answer": "b", "score": 3, "group": "x"}""",
    ];

    private static readonly JsonMutation json = new(SeedText.WordsOf(rows));

    /// <summary>The targets.</summary>
    public static IReadOnlyList<FuzzTarget> All { get; } =
    [
        new("rows", [.. rows.Select(OneLine)], new MixedMutation(json), ReadRows, typeof(RankedDataException)),
        new("packed-rows", [Gzip(OneLine(rows[0])), Zstd(OneLine(rows[1])), Encoding.Unicode.GetBytes("\ufeff" + rows[^1])], new ByteMutation(),
            (input, folder) => Read(input, folder, new RowSettings()), typeof(RankedDataException)),
        new("score-expression", SeedText.Of("helpfulness + 0.5*correctness", "([a b] - 2) / -c", "1e3*x"),
            new TokenMutation(["+", "-", "*", "/", "(", ")", "[", "]", "x", "1e400", "0", ".", "IIF", "Sum", "and", "'", "#", "\\", " "]),
            (input, _) => new ScoreExpression(Encoding.UTF8.GetString(input)).Of(name => name.Length), typeof(ArgumentException)),
        new("tables",
            SeedText.Of("prompt,chosen,rejected\na,b,c\n\"d\"\"\",e,\"f\ng\"\n", "prompt\tanswer\tscore\na\tb\t1\n", "a\tb\tc\n", "\"a\",\"b\"\n"),
            new MixedMutation(new TokenMutation([",", "\t", "\"", "\n", "\r\n", "prompt", "chosen", "rejected", "answer", "score", ";", "|", "\0", "é"])),
            ReadTable, typeof(RankedDataException)),
        new("list-cache", [ListCacheSeed.Of()], new ListStoreMutation(), ReadLists, typeof(EndOfStreamException), typeof(InvalidDataException)),
    ];

    private static void ReadRows(byte[] input, string folder)
    {
        Read(input, folder, new RowSettings());
        Read(input, folder, new RowSettings { AreToScore = true, MayBeWhole = true, GroupBy = "group" });
        Read(input, folder, new RowSettings { Layout = DataLayout.Known[input.Length % DataLayout.Known.Count], ScoreFrom = new ScoreExpression("score + 1") });
    }

    private static void ReadTable(byte[] input, string folder)
    {
        foreach (var name in new[] { "rows.csv", "rows.tsv" })
        {
            TargetFolder.Write(folder, (name, input));
            Read(Path.Combine(folder, name), new RowSettings(), new DuckDbTables());
        }
    }

    private static void Read(byte[] input, string folder, RowSettings settings)
    {
        TargetFolder.Write(folder, ("rows.jsonl", input.Length > 0 ? input : [(byte)' ']));
        Read(Path.Combine(folder, "rows.jsonl"), settings, tables: null);
    }

    private static void Read(string path, RowSettings settings, ITableReader? tables)
    {
        try
        {
            using var lines = new RankedLines([new DataSource(path, 1, [path])], settings, tables);
            foreach (var line in lines.Read())
                foreach (var list in line.Lists)
                    _ = (list.ToString(), list.Answers.Count, list.Scores.Count);
            lines.Summary([], []);
        }
        catch (RankedDataException)
        {
            // The next settings are tried as well.
        }
    }

    private static void ReadLists(byte[] input, string folder)
    {
        TargetFolder.Write(folder, ("seed.lists", input));
        using var lists = MappedListStore.TryOpen(Path.Combine(folder, "seed.lists"), ListCacheSeed.Key);
        if (lists is null)
            return;
        for (var i = 0; i < Math.Min(lists.Count, 100); i++)
            _ = (lists.InfoOf(i), lists.ScoresOf(i), lists[i], lists.SourceOf(i));
    }

    private static byte[] OneLine(string json) => Encoding.UTF8.GetBytes(JsonNode.Parse(json)!.ToJsonString() + "\n");

    private static byte[] Gzip(byte[] content)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest))
            gzip.Write(content);
        return packed.ToArray();
    }

    private static byte[] Zstd(byte[] content)
    {
        using var compressor = new ZstdSharp.Compressor();
        return compressor.Wrap(content).ToArray();
    }
}
