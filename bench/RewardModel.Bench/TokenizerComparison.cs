using System.Text;
using System.Text.Json.Nodes;

namespace RewardModel.Bench;

/// <summary>Encodes the same text with our tokenizers and with Hugging Face's Rust ones, turn by turn, and prints the speeds.</summary>
internal sealed class TokenizerComparison(string node, IReadOnlyList<string> directories, bool quick)
{
    private static readonly string[] goldens = ["bert-uncased", "unigram"];

    private readonly int bytes = quick ? 1_000_000 : 10_000_000;
    private readonly int rounds = quick ? 2 : 5;
    private readonly string folder = Directory.CreateTempSubdirectory("reward-model-bench-").FullName;

    public void Run()
    {
        var textFile = Path.Combine(folder, "text.txt");
        var text = MixedText.OfBytes(bytes);
        File.WriteAllText(textFile, text);
        var megabytes = Encoding.UTF8.GetByteCount(text) / 1e6;
        Console.WriteLine(
            $"{megabytes:F1} MB of mixed text in {text.Count(unit => unit == '\n')} lines; one thread on each side; medians of {rounds} turns");
        Console.WriteLine();
        Console.WriteLine("| tokenizer | tokens | ours, cold | Rust, cold | ours / Rust | ours, warm | Rust, warm | ours / Rust |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|");
        foreach (var directory in directories.Concat(goldens.Select(GoldenDirectory)))
            Compare(directory, textFile, megabytes);
        Directory.Delete(folder, recursive: true);
    }

    private void Compare(string directory, string textFile, double megabytes)
    {
        var name = Path.GetFileName(Path.TrimEndingDirectorySeparator(directory));
        using var ours = new Side($"ours, {name}", Environment.ProcessPath!, "tokenizer-worker", directory, textFile);
        using var rust = new Side(
            $"Rust, {name}", node, Comparison.PathOf("bench/peer/tokenizers.cjs"), Path.Combine(directory, "tokenizer.json"), textFile);
        Side[] sides = [ours, rust];
        foreach (var side in sides)
            side.Ask("load");
        JsonNode[] answers = [.. sides.Select(side => side.Ask("hash"))];
        if ((string)answers[0]["hash"]! != (string)answers[1]["hash"]!)
            throw new InvalidOperationException(
                $"the ids of {name} differ ({answers[0]["tokens"]} tokens, {answers[1]["tokens"]} expected); nothing was timed");

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
            $"| {name} | {answers[0]["tokens"]} | {oursCold:F1} | {rustCold:F1} | {oursCold / rustCold:F2} "
            + $"| {oursWarm:F1} | {rustWarm:F1} | {oursWarm / rustWarm:F2} |");
    }

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
