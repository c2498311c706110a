using System.Text.Json;

namespace RewardModel.Bench;

/// <summary>Trains the same list on both sides, turn by turn, and prints what each takes.</summary>
internal sealed class Comparison(int threads, string python, bool quick, string? only)
{
    private readonly string peer = PathOf("bench/peer/peer.py");

    public void Run()
    {
        Console.WriteLine($"{threads} threads, {(quick ? "quick" : "full")} run; a step is one ranked list; times are medians");
        foreach (var workload in Workloads.Where(workload => only is null || workload.Name.Contains(only, StringComparison.Ordinal)))
            Compare(workload);
        if (only is null or "growth")
            CompareAnswerCounts();
    }

    private Workload[] Workloads => quick
        ? [Workload.Tiny(4), Workload.Small(4), Workload.Small(9)]
        : [Workload.Tiny(4), Workload.Small(4), Workload.Small(9), Workload.Large(4), Workload.Large(9)];

    /// <summary>The path of a file of the repository.</summary>
    internal static string PathOf(string relative)
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory!.FullName, "RewardModel.sln")))
            directory = directory.Parent;
        return Path.Combine(directory.FullName, relative);
    }

    private void Compare(Workload workload)
    {
        var directory = Directory.CreateTempSubdirectory("reward-model-bench-").FullName;
        workload.Write(directory);
        Console.WriteLine();
        Console.WriteLine($"## {workload.Name}, P={workload.PromptTokens}, A={string.Join(' ', workload.AnswerLengths)}");
        Console.WriteLine();
        CheckAgreement(directory);

        // What it needs is not the memory of training.
        using var probe = Ours("probe", directory, Precision.Float32);
        using var ours = Ours("ours", directory, Precision.Float32);
        using var ours16 = Ours("ours, bfloat16", directory, Precision.Bfloat16);
        using var checkpointed = Ours("ours, checkpointed", directory, Precision.Float32, checkpointing: true);
        using var pairs = Peer("pairs", directory);
        using var once = Peer("once", directory);
        using var best = Peer("best", directory);
        Side[] sides = [ours, ours16, checkpointed, pairs, once, best];
        var seconds = sides.ToDictionary(side => side, _ => new List<double>());
        var scoring = sides.ToDictionary(side => side, _ => new List<double>());
        var probes = new List<double>();
        foreach (var side in sides)
            side.Ask("step");
        var rounds = quick || workload.Layers == 6 ? 3 : 9;
        for (var round = 0; round < rounds; round++)
        {
            probes.Add((double)probe.Ask("probe")["float32"]!);
            foreach (var side in sides)
                if (side != pairs || round < 2)
                    seconds[side].Add(side.Seconds("step"));
            foreach (var side in new[] { ours, ours16, once, best })
                scoring[side].Add(side.Seconds("score"));
        }
        var peak = Median(probes);
        var own = Median(seconds[ours]);
        Console.WriteLine("| side | s a step | lists/s | answers/s | tokens/s | peak MiB | times ours | times ours, bfloat16 |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|");
        foreach (var side in sides)
        {
            var time = Median(seconds[side]);
            var tokens = side == ours || side == ours16 || side == checkpointed
                ? workload.PromptTokens + workload.AnswerLengths.Sum()
                : side == pairs ? workload.AllTokens * (workload.AnswerCount - 1) : workload.AllTokens;
            Console.WriteLine(
                $"| {side.Name} | {time:F4} | {1 / time:F2} | {workload.AnswerCount / time:F1} | {tokens / time:F0} "
                + $"| {(double)side.Ask("memory")["mib"]!:F0} | {time / own:F2} | {time / Median(seconds[ours16]):F2} |");
        }
        Console.WriteLine();
        Console.WriteLine(
            $"Product of two 2048 x 2048 float32 matrices: {peak:F0} GFLOP/s; our step does {workload.FlopsOfStep / 1e9:F0} GFLOP, "
            + $"{100 * workload.FlopsOfStep / own / 1e9 / peak:F0} % of that peak.");
        Console.WriteLine(
            $"Scoring without gradients: ours {Median(scoring[ours]):F4} s, in bfloat16 {Median(scoring[ours16]):F4} s, "
            + $"once {Median(scoring[once]) / Median(scoring[ours]):F2} times ours, "
            + $"best {Median(scoring[best]) / Median(scoring[ours]):F2} times.");
        Directory.Delete(directory, recursive: true);
    }

    /// <summary>How the time of a step grows with the count of answers: each brings its own tokens only.</summary>
    private void CompareAnswerCounts()
    {
        int[] counts = [4, 9, 16, 32];
        var directories = counts.Select(_ => Directory.CreateTempSubdirectory("reward-model-bench-").FullName).ToArray();
        foreach (var (count, directory) in counts.Zip(directories))
            Workload.Small(count).Write(directory);
        Side[] sides = [.. counts.Zip(directories).Select(pair => Ours($"K={pair.First}", pair.Second, Precision.Float32))];
        var seconds = sides.Select(_ => new List<double>()).ToArray();
        for (var round = 0; round < (quick ? 4 : 8); round++)
            foreach (var (i, side) in sides.Index())
            {
                var time = side.Seconds("step");
                if (round > 0)
                    seconds[i].Add(time);
            }
        foreach (var side in sides)
            side.Dispose();
        foreach (var directory in directories)
            Directory.Delete(directory, recursive: true);

        double[] medians = [.. seconds.Select(Median)];
        // A straight line, by least squares.
        double[] x = [.. counts.Select(count => (double)count)], y = medians;
        var (meanX, meanY) = (x.Average(), y.Average());
        var slope = x.Zip(y).Sum(p => (p.First - meanX) * (p.Second - meanY)) / x.Sum(value => (value - meanX) * (value - meanX));
        var explained = 1 - x.Zip(y).Sum(p => Math.Pow(p.Second - meanY - slope * (p.First - meanX), 2))
            / y.Sum(value => (value - meanY) * (value - meanY));
        var workload = Workload.Small(1);
        Console.WriteLine();
        Console.WriteLine(
            $"## Growth with K: L={workload.Layers} d={workload.Width}, P={workload.PromptTokens}, A={workload.AnswerTokens} on average");
        Console.WriteLine();
        Console.WriteLine($"| K | {string.Join(" | ", counts)} |");
        Console.WriteLine($"|---|{string.Concat(counts.Select(_ => "---|"))}");
        Console.WriteLine($"| s a step | {string.Join(" | ", medians.Select(time => $"{time:F4}"))} |");
        Console.WriteLine();
        Console.WriteLine(
            $"One more answer takes {slope:F4} s, {slope / (meanY - slope * (meanX - 1)):F2} of what the line gives for a single one "
            + $"(tokens: {workload.AnswerTokens / (double)(workload.PromptTokens + workload.AnswerTokens):F2}); "
            + $"a straight line explains {explained:P2} of the variance from K=4 to K=32.");
    }

    private Side Ours(string name, string directory, Precision precision, bool checkpointing = false) =>
        new(name, Environment.ProcessPath!, "worker", directory, $"{threads}", $"{precision}", $"{checkpointing}");

    private Side Peer(string mode, string directory) => new(mode, python, peer, directory, mode, threads.ToString());

    /// <summary>Before anything is timed: all sides compute the same loss and gradients, in processes that do nothing else.</summary>
    private void CheckAgreement(string directory)
    {
        using var ours = Ours("ours", directory, Precision.Float32);
        using var checkpointed = Ours("ours, checkpointed", directory, Precision.Float32, checkpointing: true);
        using var pairs = Peer("pairs", directory);
        using var once = Peer("once", directory);
        using var best = Peer("best", directory);
        Side[] sides = [ours, checkpointed, pairs, once, best];
        var answers = sides.Select(side => side.Ask("agree")).ToArray();
        double largestLoss = 0, largestGradient = 0;
        var norms = answers[0]["norms"].Deserialize<Dictionary<string, double>>()!;
        var total = Math.Sqrt(norms.Values.Sum(norm => norm * norm));
        foreach (var answer in answers.Skip(1))
        {
            largestLoss = Math.Max(largestLoss, Math.Abs((double)answer["loss"]! - (double)answers[0]["loss"]!));
            var others = answer["norms"].Deserialize<Dictionary<string, double>>()!;
            if (!others.Keys.Order().SequenceEqual(norms.Keys.Order()))
                throw new InvalidOperationException("the sides have different parameters");
            largestGradient = Math.Max(largestGradient, norms.Max(pair => Math.Abs(pair.Value - others[pair.Key])) / total);
        }
        Console.WriteLine(
            $"All sides agree: loss {(double)answers[0]["loss"]!:F6}, within {largestLoss:E1}; "
            + $"norms of the gradients of all {norms.Count} parameters within {largestGradient:E1} of the whole gradient's.");
        Console.WriteLine();
        if (largestLoss > 1e-5 || largestGradient > 1e-5)
            throw new InvalidOperationException("the sides do not compute the same; nothing was timed");
    }

    internal static double Median(List<double> values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
