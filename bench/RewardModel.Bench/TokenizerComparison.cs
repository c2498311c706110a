using System.Text;
using System.Text.Json.Nodes;

namespace RewardModel.Bench;

/// <summary>Encodes the same text with our tokenizers and with Hugging Face's Rust ones, turn by turn, and prints the speeds.</summary>
internal sealed class TokenizerComparison(string node, IReadOnlyList<string> directories, bool quick)
{
    private static readonly string[] goldens = ["bert-uncased", "unigram"];

    private readonly int bytes = quick ? 1_000_000 : 10_000_000;
    private readonly int rounds = quick ? 2 : 3;
    private readonly string folder = Directory.CreateTempSubdirectory("reward-model-bench-").FullName;

    public void Run()
    {
        var textFile = Path.Combine(folder, "text.txt");
        var text = MixedText.OfBytes(bytes);
        File.WriteAllText(textFile, text);
        var megabytes = Encoding.UTF8.GetByteCount(text) / 1e6;
        var lineCount = text.Count(unit => unit == '\n');
        Console.WriteLine($"{megabytes:F1} MB of mixed text in {lineCount} lines; medians of {rounds} turns, in MB/s");
        string[] all = [.. directories, .. goldens.Select(GoldenDirectory)];
        var tokenCounts = all.ToDictionary(directory => directory, directory => CheckIds(directory, textFile));
        Console.WriteLine();
        Console.WriteLine("One thread; cold: by a tokenizer just loaded; warm: once more");
        Console.WriteLine();
        Console.WriteLine("| tokenizer | tokens | ours, cold | Rust, cold | ours / Rust | ours, warm | Rust, warm | ours / Rust |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|");
        foreach (var directory in all)
            CompareSpeed(directory, textFile, megabytes, tokenCounts[directory]);
        Console.WriteLine();
        Console.WriteLine("One letter over and over, one thread, in seconds");
        Console.WriteLine();
        Console.WriteLine("| tokenizer | ours, 0.25 MB | 0.5 MB | 1 MB | Rust, 0.25 MB | 0.5 MB | 1 MB |");
        Console.WriteLine("|---|---|---|---|---|---|---|");
        foreach (var directory in all)
            CompareLetters(directory, textFile);
        Console.WriteLine();
        Console.WriteLine(
            "Ours on several threads, cold, in MB/s; and the heap in MiB: loaded, and the largest of readings after every 8,000 of 400,000 "
            + "different words of 200 letters");
        Console.WriteLine();
        Console.WriteLine("| tokenizer | 1 thread | 2 threads | times | heap, loaded | largest |");
        Console.WriteLine("|---|---|---|---|---|---|");
        foreach (var directory in all)
            MeasureThreadsAndHeap(directory, textFile, megabytes);
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>How many ids the text has. All are the same on both sides, ours also on two threads; of one letter too.</summary>
    private int CheckIds(string directory, string textFile)
    {
        using var ours = Ours(directory, textFile);
        using var rust = Rust(directory, textFile);
        foreach (var side in new[] { ours, rust })
            side.Ask("load");
        var expected = rust.Ask("hash");
        foreach (var threads in new[] { 1, 2 })
            Check(expected, ours.Ask($"hash {threads}"), $"{threads} threads");
        Check(rust.Ask("hash-letters 1000000"), ours.Ask("hash-letters 1000000"), "one letter");
        return (int)expected["tokens"]!;

        void Check(JsonNode expected, JsonNode found, string what)
        {
            if ((string)expected["hash"]! != (string)found["hash"]!)
                throw new InvalidOperationException(
                    $"the ids of {NameOf(directory)} differ, {what}: {found["tokens"]} of ours, {expected["tokens"]} of Rust's; "
                    + "nothing was timed");
        }
    }

    private void CompareSpeed(string directory, string textFile, double megabytes, int tokenCount)
    {
        using var ours = Ours(directory, textFile);
        using var rust = Rust(directory, textFile);
        Side[] sides = [ours, rust];
        var cold = sides.ToDictionary(side => side, _ => new List<double>());
        var warm = sides.ToDictionary(side => side, _ => new List<double>());
        for (var round = 0; round < rounds; round++)
            foreach (var side in sides)
            {
                side.Ask("load");
                cold[side].Add(megabytes / side.Seconds("encode"));
                warm[side].Add(megabytes / side.Seconds("encode"));
            }
        var (oursCold, rustCold) = (Comparison.Median(cold[ours]), Comparison.Median(cold[rust]));
        var (oursWarm, rustWarm) = (Comparison.Median(warm[ours]), Comparison.Median(warm[rust]));
        Console.WriteLine(
            $"| {NameOf(directory)} | {tokenCount} | {oursCold:F1} | {rustCold:F1} | {oursCold / rustCold:F2} "
            + $"| {oursWarm:F1} | {rustWarm:F1} | {oursWarm / rustWarm:F2} |");
    }

    private void CompareLetters(string directory, string textFile)
    {
        using var ours = Ours(directory, textFile);
        using var rust = Rust(directory, textFile);
        var seconds = new List<double>();
        foreach (var side in new[] { ours, rust })
        {
            side.Ask("load");
            side.Ask("letters 250000");
            seconds.AddRange(new[] { 250_000, 500_000, 1_000_000 }.Select(count => side.Seconds($"letters {count}")));
        }
        Console.WriteLine($"| {NameOf(directory)} | {string.Join(" | ", seconds.Select(time => $"{time:F3}"))} |");
    }

    private void MeasureThreadsAndHeap(string directory, string textFile, double megabytes)
    {
        using var ours = Ours(directory, textFile);
        var speeds = new[] { new List<double>(), new List<double>() };
        for (var round = 0; round < rounds; round++)
            for (var threads = 1; threads <= speeds.Length; threads++)
            {
                ours.Ask("load");
                speeds[threads - 1].Add(megabytes / ours.Seconds($"encode {threads}"));
            }
        var (one, two) = (Comparison.Median(speeds[0]), Comparison.Median(speeds[1]));
        ours.Ask("load");
        var loaded = (double)ours.Ask("heap")["mib"]!;
        var largest = loaded;
        for (var first = 0; first < 400_000; first += 8_000)
        {
            ours.Ask($"distinct {first} 8000");
            largest = Math.Max(largest, (double)ours.Ask("heap")["mib"]!);
        }
        Console.WriteLine($"| {NameOf(directory)} | {one:F1} | {two:F1} | {two / one:F2} | {loaded:F0} | {largest:F0} |");
    }

    private static Side Ours(string directory, string textFile) =>
        new($"ours, {NameOf(directory)}", Environment.ProcessPath!, "tokenizer-worker", directory, textFile);

    private Side Rust(string directory, string textFile) => new(
        $"Rust, {NameOf(directory)}", node, Comparison.PathOf("bench/peer/tokenizers.cjs"), Path.Combine(directory, "tokenizer.json"),
        textFile);

    private static string NameOf(string directory) => Path.GetFileName(Path.TrimEndingDirectorySeparator(directory));

    /// <summary>A directory with the tokenizer of one of the tests' goldens.</summary>
    private string GoldenDirectory(string name)
    {
        var golden = JsonNode.Parse(File.ReadAllText(
            Comparison.PathOf($"tests/RewardModel.Tests/Tokenization/Goldens/{name}.json")))!;
        var directory = Directory.CreateDirectory(Path.Combine(folder, name)).FullName;
        File.WriteAllText(Path.Combine(directory, "tokenizer.json"), golden["tokenizer"]!.ToJsonString());
        return directory;
    }
}
