using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using RewardModel.Checkpoints;
using RewardModel.Data;
using RewardModel.Lists;
using RewardModel.Reading;
using RewardModel.Scoring;
using RewardModel.Tokenizers;
using RewardModel.Training.Checks;
using RewardModel.Training.Data;
using TorchSharp;

namespace RewardModel.Bench;

/// <summary>How fast data are read, tokenised, checked and taken from a cache. The tokenizer alone, which nothing can be faster than, is the mark.</summary>
/// <param name="tokenizerDirectory">Directory of a tokenizer.</param>
/// <param name="file">JSON lines of ranked lists as text.</param>
internal sealed class DataMeasurement(string tokenizerDirectory, string file)
{
    private const int rounds = 3;

    // Of the file, what is held in memory for the tokenizer alone.
    private const int listsInMemory = 100_000;

    public void Run()
    {
        var bytes = new FileInfo(file).Length;
        Console.WriteLine($"{Machine.Description}\n{file}, {bytes / 1e6:F0} MB; all speeds in MB of it a second, medians of {rounds} turns\n");
        var folder = Directory.CreateTempSubdirectory("data-measurement-").FullName;
        try
        {
            Measure(bytes, folder);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private void Measure(long bytes, string folder)
    {
        using var model = Model(tokenizerDirectory);
        var parquet = Path.Combine(folder, "lists.parquet");
        using (var writer = new ParquetFile())
        {
            foreach (var row in DataRows.Read(file))
                writer.Add(System.Text.Encoding.UTF8.GetString(row.Utf8.Span));
            writer.Write(parquet);
        }
        var lists = new List<RankedList>();
        using (var rows = Files(file).Open())
            foreach (var row in rows.Read().TakeWhile(_ => lists.Count < listsInMemory))
                lists.AddRange(row.Lists);
        var shareInMemory = (double)lists.Count / Count(file);
        var cache = Path.Combine(folder, "cache");
        (string Name, double Share, Action Work)[] sides =
        [
            ("tokenizer alone, lists in memory", shareInMemory, () =>
            {
                foreach (var group in lists.Chunk(1024))
                    model.TryTokenize(group);
            }),
            ("JSON lines, read", 1, () => Count(file)),
            ("Parquet, read", 1, () => Count(parquet)),
            ("JSON lines, read and tokenised", 1, () => Tokenize(model, file, null)),
            ("Parquet, read and tokenised", 1, () => Tokenize(model, parquet, null)),
            ("JSON lines, read and checked", 1, () => new DataCheckRun(NullLogger.Instance) { EvaluationFraction = 0.1 }.Check(Files(file), null)),
            ("into a cache", 1, () =>
            {
                if (Directory.Exists(cache))
                    Directory.Delete(cache, recursive: true);
                Tokenize(model, file, cache);
            }),
            ("from the cache", 1, () => Tokenize(model, file, cache)),
        ];
        var times = sides.ToDictionary(side => side.Name, _ => new List<double>());
        for (var round = 0; round < rounds; round++)
            foreach (var (name, share, work) in sides)
            {
                var watch = Stopwatch.StartNew();
                work();
                times[name].Add(watch.Elapsed.TotalSeconds);
            }
        foreach (var (name, share, _) in sides)
        {
            var seconds = times[name].Order().ElementAt(rounds / 2);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {name} | {share * bytes / 1e6 / seconds:F1} | {seconds:F2} s |"));
        }
        Console.WriteLine($"\npeak memory {Process.GetCurrentProcess().PeakWorkingSet64 / 1e6:F0} MB");
    }

    private static RankedListFiles Files(string path) => new(path) { Tables = new DuckDbTables() };

    private static int Count(string path)
    {
        using var rows = Files(path).Open();
        return rows.Read().Sum(row => row.Lists.Count);
    }

    private static void Tokenize(ScoringModel model, string path, string? cache) =>
        new ListReading(model, NullLogger.Instance) { Cache = cache }.Read(Files(path)).Dispose();

    /// <summary>A tiny model, which gives lists a maximum length of 1024 tokens.</summary>
    public static ScoringModel Model(string tokenizerDirectory)
    {
        var tokenizer = HuggingFaceTokenizer.Load(tokenizerDirectory);
        var config = new JsonObject
        {
            ["model_type"] = "llama",
            ["vocab_size"] = tokenizer.VocabularySize,
            ["hidden_size"] = 8,
            ["intermediate_size"] = 8,
            ["num_hidden_layers"] = 1,
            ["num_attention_heads"] = 1,
            ["num_key_value_heads"] = 1,
            ["max_position_embeddings"] = 1024,
            ["rms_norm_eps"] = 1e-5,
        };
        torch.set_num_threads(Environment.ProcessorCount);
        return new ScoringModel(RewardTransformer.FromConfig(HuggingFaceConfig.Parse(config.ToJsonString(), "config.json")), tokenizer);
    }
}
