using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using RewardModel.Learning;

const string Usage = """
    Usage: learning run DATA RESULTS.jsonl [--jobs N] [--only TEXT] [--seeds FIRST-LAST] [--minutes N]
           learning job DATA INDEX SEED
           learning report RESULTS.jsonl
    """;
CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
switch (args)
{
    case ["job", var data, var index, var seed]:
        Console.WriteLine(JsonSerializer.Serialize(Job.Run(Studies.All[int.Parse(index)], int.Parse(seed), data)));
        return 0;
    case ["run", var data, var results, .. var rest]:
        return await Run(data, results, rest);
    case ["report", var results]:
        Console.WriteLine(Report.Of(Report.Read(results)));
        return 0;
    default:
        Console.Error.WriteLine(Usage);
        return 2;
}

// Every job is a process of one thread; what is in the results already is not computed again.
static async Task<int> Run(string data, string results, string[] rest)
{
    var (jobs, only, first, last, minutes) = (Environment.ProcessorCount, "", 1, 5, double.PositiveInfinity);
    foreach (var option in rest.Chunk(2))
        switch (option)
        {
            case ["--jobs", var value]: jobs = int.Parse(value); break;
            case ["--only", var value]: only = value; break;
            case ["--minutes", var value]: minutes = double.Parse(value); break;
            case ["--seeds", var value]:
                (first, last) = (int.Parse(value.Split('-')[0]), int.Parse(value.Split('-')[1]));
                break;
            default: Console.Error.WriteLine(Usage); return 2;
        }
    var done = File.Exists(results) ? Report.Read(results) : [];
    var todo = new ConcurrentQueue<(int Index, Variant Variant, int Seed)>(
        from seed in Enumerable.Range(first, last - first + 1)
        from indexed in Studies.All.Index()
        let variant = indexed.Item
        where $"{variant.Study}/{variant.Set.Name}/{variant.Name}".Contains(only, StringComparison.Ordinal)
            && !done.Any(outcome => (outcome.Study, outcome.Set, outcome.Variant, outcome.Seed)
                == (variant.Study, variant.Set.Name, variant.Name, seed))
        select (indexed.Index, variant, seed));
    var clock = Stopwatch.StartNew();
    var count = todo.Count;
    using var file = new StreamWriter(results, append: true);
    await Task.WhenAll(Enumerable.Range(0, jobs).Select(_ => Task.Run(async () =>
    {
        while (clock.Elapsed.TotalMinutes < minutes && todo.TryDequeue(out var job))
        {
            var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true, RedirectStandardError = true };
            start.ArgumentList.Add("job");
            start.ArgumentList.Add(data);
            start.ArgumentList.Add(job.Index.ToString());
            start.ArgumentList.Add(job.Seed.ToString());
            start.Environment["OMP_NUM_THREADS"] = "1";
            using var process = Process.Start(start)!;
            var errors = process.StandardError.ReadToEndAsync();
            var line = (await process.StandardOutput.ReadToEndAsync()).Trim();
            await process.WaitForExitAsync();
            var told = process.ExitCode == 0 ? line : (await errors).Trim();
            lock (file)
            {
                if (process.ExitCode == 0)
                {
                    file.WriteLine(line);
                    file.Flush();
                }
                Console.WriteLine($"{clock.Elapsed:mm\\:ss} {count - todo.Count}/{count} {job.Variant.Study}/{job.Variant.Name}: {told}");
            }
        }
    })));
    return 0;
}
