using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using RewardModel.Training.Data;

namespace RewardModel.Bench;

/// <summary>
/// Puts a load on servers of reward models and tells how long they take: on this project's, and where one is given on a peer's that has
/// OpenRLHF's <c>/get_reward</c>. The sides take turns, so that a busy machine slows both.
/// </summary>
/// <param name="ours">Address of <c>reward-model serve</c>.</param>
/// <param name="peer">Address of the peer, or null.</param>
/// <param name="seconds">How long each measurement takes.</param>
/// <param name="rounds">Turns of each side.</param>
internal sealed class ServingLoad(Uri ours, Uri? peer, double seconds, int rounds)
{
    // Of common words, which are a token each.
    private const int promptWords = 128, answerWords = 32;

    internal static readonly string[] Words =
        ["the", "of", "and", "to", "in", "is", "it", "that", "was", "for", "on", "are", "with", "as", "at", "be"];

    private static readonly HttpClient http = new() { Timeout = TimeSpan.FromMinutes(3) };

    private int requestCount;

    public async Task Run()
    {
        await Compare();
        Console.WriteLine("| load | side | rows/s | requests/s | p50 ms | p99 ms | errors |");
        Console.WriteLine("| --- | --- | --- | --- | --- | --- | --- |");
        var capacities = new Dictionary<int, double>();
        foreach (var rows in new[] { 1, 4, 9, 64 })
            foreach (var clients in new[] { 1, 8 })
            {
                Side[] sides = [new("ours", ours), .. peer is null ? (Side[])[] : [new("peer", peer, IsNative: false)]];
                foreach (var (side, result) in await InTurns(sides, side => Closed(side, rows, clients)))
                {
                    Print($"K={rows}, {clients} at a time", side, result);
                    if (side.Name == "ours" && clients == 8)
                        capacities[rows] = result.RequestsPerSecond;
                }
            }
        Side[] others = [new("ours, /get_reward", ours, IsNative: false), new("ours, each prompt in 4 requests", ours, Repeats: 4)];
        foreach (var (side, result) in await InTurns(others, side => Closed(side, 9, 8)))
            Print("K=9, 8 at a time", side, result);
        foreach (var (rows, capacity) in capacities)
            foreach (var (side, result) in await InTurns([new Side("ours", ours)], side => Open(side, rows, capacity / 2)))
                Print(string.Create(CultureInfo.InvariantCulture, $"K={rows}, {capacity / 2:F1} requests/s"), side, result);
    }

    /// <summary>Both sides give the same rewards, or nothing is measured.</summary>
    private async Task Compare()
    {
        if (peer is null)
            return;
        var random = new SplitMix64(5);
        var (prompt, answers) = Texts(random, 9);
        var found = await Rewards(new Side("ours", ours, IsNative: false), prompt, answers);
        var expected = await Rewards(new Side("peer", peer, IsNative: false), prompt, answers);
        var difference = found.Zip(expected, (left, right) => Math.Abs(left - right)).Max();
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"Rewards of both sides differ by {difference:G2} at most; the largest is {expected.Max(Math.Abs):F3}."));
        if (!(difference <= 1e-4))
            throw new InvalidOperationException("The sides score different things.");
    }

    private async Task<(Side Side, Result Result)[]> InTurns(Side[] sides, Func<Side, Task<Result>> measure)
    {
        var results = sides.ToDictionary(side => side, _ => new List<Result>());
        // Warms up.
        foreach (var side in sides)
            await measure(side with { Seconds = 1 });
        for (var round = 0; round < rounds; round++)
            foreach (var side in sides)
                results[side].Add(await measure(side with { Seconds = seconds }));
        return [.. sides.Select(side => (side, Result.Of(results[side])))];
    }

    /// <summary>Clients that each ask again as soon as they have their answer.</summary>
    private async Task<Result> Closed(Side side, int rows, int clients)
    {
        var latencies = new ConcurrentBag<double>();
        var errors = 0;
        var watch = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, clients).Select(async client =>
        {
            while (watch.Elapsed.TotalSeconds < side.Seconds)
                await Ask(side, rows, latencies, () => Interlocked.Increment(ref errors));
        }));
        return new Result([.. latencies], rows, watch.Elapsed.TotalSeconds, errors);
    }

    /// <summary>Requests that come independently of one another, as many a second as is said: Poisson's.</summary>
    private async Task<Result> Open(Side side, int rows, double rate)
    {
        var latencies = new ConcurrentBag<double>();
        var errors = 0;
        var random = new Random(1);
        var watch = Stopwatch.StartNew();
        var next = 0d;
        var asked = new List<Task>();
        while (next < side.Seconds * 3)
        {
            var wait = next - watch.Elapsed.TotalSeconds;
            if (wait > 0)
                await Task.Delay(TimeSpan.FromSeconds(wait));
            asked.Add(Ask(side, rows, latencies, () => Interlocked.Increment(ref errors)));
            next -= Math.Log(1 - random.NextDouble()) / rate;
        }
        await Task.WhenAll(asked);
        return new Result([.. latencies], rows, watch.Elapsed.TotalSeconds, errors);
    }

    private async Task Ask(Side side, int rows, ConcurrentBag<double> latencies, Action fail)
    {
        var number = (ulong)Interlocked.Increment(ref requestCount);
        var (prompt, _) = Texts(new SplitMix64(number / (ulong)side.Repeats + 1_000_000), 0);
        var (_, answers) = Texts(new SplitMix64(number), rows);
        var start = Stopwatch.GetTimestamp();
        try
        {
            await Rewards(side, prompt, answers);
            latencies.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }
        catch (HttpRequestException)
        {
            fail();
        }
    }

    private static async Task<float[]> Rewards(Side side, string prompt, string[] answers)
    {
        object body = side.IsNative
            ? new { prompt, answers }
            : new
            {
                query = answers.Select(answer => prompt + answer).ToArray(),
                prompts = answers.Select(_ => prompt).ToArray(),
                labels = answers.Select(_ => "").ToArray(),
            };
        using var response = await http.PostAsJsonAsync(new Uri(side.Address, side.IsNative ? "v1/rewards" : "get_reward"), body);
        response.EnsureSuccessStatusCode();
        var json = (await response.Content.ReadFromJsonAsync<JsonNode>())!;
        return (side.IsNative ? json["results"]![0]!["rewards"] : json["rewards"]).Deserialize<float[]>()!;
    }

    private static (string Prompt, string[] Answers) Texts(SplitMix64 random, int answers)
    {
        string Text(int count) => string.Concat(Enumerable.Range(0, count).Select(_ => " " + Words[random.NextBelow(Words.Length)]));
        var prompt = Text(promptWords);
        return (prompt, [.. Enumerable.Range(0, answers).Select(_ => Text(answerWords))]);
    }

    private static void Print(string load, Side side, Result result) => Console.WriteLine(string.Create(
        CultureInfo.InvariantCulture,
        $"| {load} | {side.Name} | {result.RowsPerSecond:F1} | {result.RequestsPerSecond:F1} | {result.At(0.5):F1} | {result.At(0.99):F1} "
        + $"| {result.ErrorCount} |"));

    /// <summary>A server, and how it is asked.</summary>
    /// <param name="Name">Its name in the table.</param>
    /// <param name="Address">Where it is.</param>
    /// <param name="IsNative">By our own protocol, or by OpenRLHF's.</param>
    /// <param name="Repeats">In how many requests each prompt comes.</param>
    private sealed record Side(string Name, Uri Address, bool IsNative = true, int Repeats = 1)
    {
        public double Seconds { get; init; }
    }

    /// <summary>What a measurement gave: latencies in milliseconds.</summary>
    private sealed record Result(double[] Latencies, int Rows, double Seconds, int ErrorCount)
    {
        public double RequestsPerSecond => Latencies.Length / Seconds;

        public double RowsPerSecond => RequestsPerSecond * Rows;

        /// <summary>All turns together.</summary>
        public static Result Of(IReadOnlyList<Result> turns) => new(
            [.. turns.SelectMany(turn => turn.Latencies).Order()], turns[0].Rows, turns.Sum(turn => turn.Seconds), turns.Sum(turn => turn.ErrorCount));

        public double At(double share) =>
            Latencies.Length == 0 ? double.NaN : Latencies[Math.Min(Latencies.Length - 1, (int)(share * Latencies.Length))];
    }
}
