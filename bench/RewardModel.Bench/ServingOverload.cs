using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using RewardModel.Training.Data;

namespace RewardModel.Bench;

/// <summary>
/// Asks a server for ten times as much as it can compute, and tells what becomes of it: of memory, of latencies, and whether every answer is
/// right.
/// </summary>
/// <param name="server">Address of <c>reward-model serve</c>.</param>
/// <param name="process">Its process.</param>
/// <param name="seconds">How long.</param>
internal sealed class ServingOverload(Uri server, int process, double seconds)
{
    private const int answersOfRequest = 4, requestKinds = 200, times = 10;

    private static readonly HttpClient http = new(new SocketsHttpHandler { MaxConnectionsPerServer = 4000 }) { Timeout = TimeSpan.FromMinutes(4) };

    private readonly ConcurrentDictionary<string, int> outcomes = [];
    private readonly ConcurrentBag<double> latencies = [];

    public async Task Run()
    {
        var requests = Enumerable.Range(0, requestKinds).Select(i => RequestOf((ulong)i)).ToArray();
        var expected = new float[requestKinds][];
        var watch = Stopwatch.StartNew();
        await Parallel.ForEachAsync(
            Enumerable.Range(0, requestKinds), new ParallelOptions { MaxDegreeOfParallelism = 8 },
            async (i, _) => expected[i] = (await AskAsync(requests[i])).Rewards!);
        var rate = times * requestKinds / watch.Elapsed.TotalSeconds;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"It computes {rate / times:F1} requests of {answersOfRequest} answers a second; asked for {rate:F0} for {seconds:F0} s."));
        Console.WriteLine("| after | server's memory, MiB | answered | refused (429) | others | p50 s | p99 s |");
        Console.WriteLine("| --- | --- | --- | --- | --- | --- | --- |");
        watch.Restart();
        var (next, row) = (0d, 0d);
        var random = new Random(1);
        var asked = new List<Task>();
        while (watch.Elapsed.TotalSeconds < seconds)
        {
            if (watch.Elapsed.TotalSeconds >= row)
            {
                Print(watch.Elapsed.TotalSeconds);
                row += seconds / 12;
                asked.RemoveAll(task => task.IsCompleted);
            }
            if (next - watch.Elapsed.TotalSeconds is > 0 and var wait)
                await Task.Delay(TimeSpan.FromSeconds(wait));
            var kind = random.Next(requestKinds);
            asked.Add(CountAsync(requests[kind], expected[kind]));
            next -= Math.Log(1 - random.NextDouble()) / rate;
        }
        await Task.WhenAll(asked);
        Print(watch.Elapsed.TotalSeconds);
        Console.WriteLine($"Outcomes: {string.Join(", ", outcomes.OrderBy(outcome => outcome.Key).Select(outcome => $"{outcome.Key} {outcome.Value}"))}");
    }

    private async Task CountAsync(object request, float[] expected)
    {
        var start = Stopwatch.GetTimestamp();
        string outcome;
        try
        {
            var (status, rewards) = await AskAsync(request);
            outcome = rewards is null ? $"{status}"
                : rewards.Zip(expected).All(pair => Math.Abs(pair.First - pair.Second) <= 1e-5 * Math.Max(1, Math.Abs(pair.Second))) ? "right"
                : "WRONG";
            if (rewards is not null)
                latencies.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException)
        {
            outcome = exception.GetType().Name;
        }
        outcomes.AddOrUpdate(outcome, 1, (_, count) => count + 1);
    }

    private async Task<(int Status, float[]? Rewards)> AskAsync(object request)
    {
        using var response = await http.PostAsJsonAsync(new Uri(server, "v1/rewards"), request);
        if (!response.IsSuccessStatusCode)
            return ((int)response.StatusCode, null);
        var json = (await response.Content.ReadFromJsonAsync<JsonNode>())!;
        return (200, json["results"]![0]!["rewards"].Deserialize<float[]>()!);
    }

    private void Print(double after)
    {
        var sorted = latencies.Order().ToArray();
        int Count(Func<string, bool> isCounted) => outcomes.Where(outcome => isCounted(outcome.Key)).Sum(outcome => outcome.Value);
        double At(double share) => sorted.Length == 0 ? 0 : sorted[(int)(share * (sorted.Length - 1))];
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"| {after:F0} s | {Memory():F0} | {Count(name => name == "right")} | {Count(name => name == "429")} "
            + $"| {Count(name => name is not ("right" or "429"))} | {At(0.5):F2} | {At(0.99):F2} |"));
    }

    private double Memory()
    {
        using var found = Process.GetProcessById(process);
        return found.WorkingSet64 / 1048576.0;
    }

    private static object RequestOf(ulong seed)
    {
        var random = new SplitMix64(seed);
        string Text(int count) => string.Concat(Enumerable.Range(0, count).Select(_ => $" {ServingLoad.Words[random.NextBelow(ServingLoad.Words.Length)]}"));
        return new { prompt = Text(40 + random.NextBelow(160)), answers = Enumerable.Range(0, answersOfRequest).Select(_ => Text(5 + random.NextBelow(60))).ToArray() };
    }
}
