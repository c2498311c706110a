using System.Globalization;
using System.Text.Json.Nodes;
using RewardModel.Scoring;
using RewardModel.Training.Planning;

namespace RewardModel.Bench;

/// <summary>
/// The runs of bench/scaling.sh beside what <see cref="StepTime"/> says of them, from one rank's time for a token and an all-reduce of each
/// network.
/// </summary>
/// <param name="folder">Where the script has left its runs.</param>
/// <param name="single">The runs of one rank that predictions are made of: those before, or those in turns with the others.</param>
internal sealed class RankScaling(string folder, string single)
{
    /// <summary>Steps of a run that don't count: .NET compiles, and memory is touched for the first time.</summary>
    private const int warmUp = 2;

    private static readonly RankModel model = RankModel.Named("scaling");

    private static readonly Sharding[] shardings = [Sharding.None, Sharding.Parameters];

    public void Run()
    {
        Console.WriteLine(Machine.Description);
        Console.WriteLine();
        foreach (var file in Directory.GetFiles(folder, "messages-*.json").Order())
            Console.WriteLine($"{Path.GetFileNameWithoutExtension(file)}: {File.ReadAllText(file).Trim()}");
        Console.WriteLine();
        foreach (var sharding in shardings)
            Console.WriteLine(Text($"one rank, {Name(sharding)}: {SingleSeconds(sharding):F3} s a step of {Tokens(1)} tokens"));
        Console.WriteLine();
        Console.WriteLine("| Mbit/s | shard | predicted s | efficiency | exposed messages s | measured s | efficiency | predicted / measured |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|");
        foreach (var file in Directory.GetFiles(folder, "messages-*000*.json").Append(Path.Combine(folder, "messages-100.json"))
                     .Distinct().OrderBy(file => -Rate(file)))
            foreach (var sharding in shardings)
                PrintRow(Rate(file), sharding, JsonNode.Parse(File.ReadAllText(file))!);
        if (Directory.Exists(Path.Combine(folder, "four-one")))
            PrintFour();
    }

    private void PrintRow(int rate, Sharding sharding, JsonNode messages)
    {
        var one = SingleSeconds(sharding);
        var predicted = Predicted(2, sharding, one, (double)messages["bandwidth"]!, (double)messages["latency"]!);
        var row = Text($"| {rate} | {Name(sharding)} | {predicted.Total:F3} | {predicted.Efficiency:P0} | {predicted.ExposedCommunication:F3} ");
        var runs = Directory.GetDirectories(folder, $"two-{Name(sharding)}-{rate}-*");
        if (runs.Length == 0)
        {
            Console.WriteLine(row + "| | | |");
            return;
        }
        var seconds = Seconds(runs);
        // The same tokens a rank.
        Console.WriteLine(row + Text($"| {seconds:F3} | {one / seconds:P0} | {predicted.Total / seconds:F2} |"));
    }

    /// <summary>Four ranks: losses beside those of one process on the same lists, and bytes that a rank has sent in a step.</summary>
    private void PrintFour()
    {
        Console.WriteLine();
        Console.WriteLine("| shard, 4 ranks | largest difference of a loss from one rank's | MB sent, formula | MB sent, measured |");
        Console.WriteLine("|---|---|---|---|");
        var expected = Steps(Path.Combine(folder, "four-one")).Select(step => (double)step["loss"]!).ToArray();
        foreach (var sharding in Enum.GetValues<Sharding>())
        {
            var run = Path.Combine(folder, $"four-{Name(sharding)}");
            var steps = Steps(run);
            var difference = steps.Select((step, i) => Math.Abs((double)step["loss"]! - expected[i])).Max();
            var measured = double.Parse(File.ReadAllText(Path.Combine(run, "sent")), CultureInfo.InvariantCulture) / steps.Length;
            var formula = Predicted(4, sharding, 1, 1, 0).BytesSent;
            Console.WriteLine(Text($"| {Name(sharding)} | {difference:E1} | {formula / 1e6:F1} | {measured / 1e6:F1} |"));
        }
    }

    /// <summary>Ranks that are nodes of their own; messages take the core that computes.</summary>
    private static StepTime Predicted(int rankCount, Sharding sharding, double secondsOfOne, double bandwidth, double latency)
    {
        using var transformer = RewardTransformer.WithoutWeights(model.Config);
        var cluster = new ClusterShape
        {
            GpuCount = rankCount,
            GpusPerNode = 1,
            MemoryBytes = long.MaxValue,
            PeakFlops = 1,
            MemoryBandwidth = 1,
            LinkBandwidth = 1,
            NodeBandwidth = bandwidth,
            NodeLatency = latency,
        };
        var measured = new Training.Planning.Measured
        {
            SecondsPerToken = secondsOfOne / Tokens(1),
            // Is in the time for a token.
            OptimizerSeconds = 0,
            OverlapsCommunication = false,
        };
        return StepTime.Of(
            ModelShape.Of(transformer), cluster, model.WorkloadOf(rankCount), new StepSettings(sharding, model.TokensPerList), measured);
    }

    private static int Tokens(int rankCount) => RankModel.ListsPerRank * model.TokensPerList * rankCount;

    private double SingleSeconds(Sharding sharding) => Seconds(Directory.GetDirectories(folder, $"{single}-{Name(sharding)}-*"));

    /// <summary>The median step of all the runs.</summary>
    private static double Seconds(string[] runs) => Comparison.Median(
    [
        .. runs.SelectMany(run => Steps(run).Skip(warmUp)).Select(step => (double)step["tokens"]! / (double)step["tokens_per_second"]!),
    ]);

    private static JsonNode[] Steps(string run) =>
        [.. File.ReadLines(Path.Combine(run, "training", "log.jsonl")).Select(line => JsonNode.Parse(line)!).Where(line => line["tokens_per_second"] is not null)];

    private static int Rate(string file) =>
        int.TryParse(Path.GetFileNameWithoutExtension(file).Split('-')[1], CultureInfo.InvariantCulture, out var rate) ? rate : 0;

    private static string Name(Sharding sharding) => sharding.ToString().ToLowerInvariant();

    private static string Text(FormattableString text) => FormattableString.Invariant(text);
}
