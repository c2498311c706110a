using System.Text.Json;
using RewardModel.Adapters;

namespace RewardModel.Bench;

/// <summary>Trains the same list on all sides, turn by turn, and prints what each takes.</summary>
/// <param name="threads">How many each side computes with.</param>
/// <param name="quick">Whether the large workloads are left out.</param>
/// <param name="only">A part of the names of the workloads to run; null for all.</param>
/// <param name="python">A Python with PyTorch, which then has sides of its own; null for none.</param>
/// <param name="baseline">The output folder of another build of this benchmark, whose worker is one side more; null for none.</param>
internal sealed class Comparison(int threads, bool quick, string? only, string? python, string? baseline)
{
    public void Run()
    {
        Console.WriteLine(Machine.Description);
        Console.WriteLine($"{threads} threads, {(quick ? "quick" : "full")} run; a step is one ranked list; times are medians");
        foreach (var workload in Workloads.Where(workload => only is null || workload.Name.Contains(only, StringComparison.Ordinal)))
            Compare(workload);
        if (only is null or "growth")
            CompareAnswerCounts();
        if (only is null or "frozen")
            CompareStorages();
        if (only is null or "adapters")
            CompareAdapters(quick ? Workload.Small(4) : Workload.Large(4));
    }

    /// <summary>Of the adapters that are compared with training everything.</summary>
    internal const int LoraRank = 8;

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
        var ours = new Measured(Ours("ours", directory, Precision.Float32), workload.PackedTokens);
        Measured[] others = [.. BaselineSides(directory).Select(side => new Measured(side, workload.PackedTokens))];
        var pairs = new Measured(Peer("pairs", directory), workload.TokensOfPairs);
        var once = new Measured(Peer("once", directory), workload.TokensOnce);
        Measured[] all =
        [
            ours,
            .. others,
            new(Ours("ours, bfloat16", directory, Precision.Bfloat16), workload.PackedTokens),
            new(Ours("ours, checkpointed", directory, Precision.Float32, checkpointing: true), workload.PackedTokens),
            pairs,
            once,
            .. PythonSides(directory).Select(peer => new Measured(peer, workload.TokensOnce)),
        ];
        foreach (var measured in all)
            measured.WarmUp();
        var probes = new List<double>();
        var rounds = quick ? workload.Rounds / 3 : workload.Rounds;
        for (var round = 0; round < rounds; round++)
        {
            probes.Add((double)probe.Ask("probe")["float32"]!);
            foreach (var measured in all)
                // Every pair takes longer than all the others together.
                if (measured != pairs || round < Math.Max(1, rounds / 4))
                    measured.Step();
            foreach (var measured in all)
                measured.Score();
        }
        PrintTable(all, ours, workload);
        PrintRatios(ours, once, pairs, others.SingleOrDefault());
        var peak = Median(probes);
        Console.WriteLine(
            $"Product of two 2048 x 2048 float32 matrices: {peak:F0} GFLOP/s; our step does {workload.FlopsOfStep / 1e9:F0} GFLOP, "
            + $"{100 * workload.FlopsOfStep / ours.StepSeconds / 1e9 / peak:F0} % of that peak.");
        foreach (var measured in all)
            measured.Side.Dispose();
        Directory.Delete(directory, recursive: true);
    }

    private static void PrintTable(Measured[] all, Measured ours, Workload workload)
    {
        Console.WriteLine("| side | s a step | answers/s | tokens/s | s scoring | peak MiB | step / ours | scoring / ours | peak / ours |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|---|");
        foreach (var measured in all)
        {
            var (step, scoring, peak) = (measured.StepSeconds, measured.ScoringSeconds, measured.PeakMemory);
            Console.WriteLine(
                $"| {measured.Side.Name} | {step:F4} | {workload.AnswerCount / step:F1} | {measured.Tokens / step:F0} | {scoring:F4} "
                + $"| {peak:F0} | {step / ours.StepSeconds:F2} | {scoring / ours.ScoringSeconds:F2} | {peak / ours.PeakMemory:F2} |");
        }
        Console.WriteLine();
    }

    private static void PrintRatios(Measured ours, Measured once, Measured pairs, Measured? baseline)
    {
        Console.WriteLine(
            $"A step: pairs {pairs.StepSeconds / ours.StepSeconds:F2} times ours, once {once.StepSeconds / ours.StepSeconds:F2} times. "
            + $"Scoring: once {once.ScoringSeconds / ours.ScoringSeconds:F2} times ours. "
            + $"Peak memory: ours {ours.PeakMemory / once.PeakMemory:F2} of once's.");
        if (baseline is not null)
            Console.WriteLine(
                $"Ours takes {ours.StepSeconds / baseline.StepSeconds:F2} of the baseline's time for a step, "
                + $"{ours.ScoringSeconds / baseline.ScoringSeconds:F2} for scoring, and {ours.PeakMemory / baseline.PeakMemory:F2} of its "
                + "peak memory.");
    }

    /// <summary>How the time of a step grows with the count of answers: each brings its own tokens only.</summary>
    private void CompareAnswerCounts()
    {
        int[] counts = [4, 9, 16, 32];
        var directories = counts.Select(_ => Directory.CreateTempSubdirectory("reward-model-bench-").FullName).ToArray();
        foreach (var (count, directory) in counts.Zip(directories))
            Workload.Small(count).Write(directory);
        Measured[] ours = [.. directories.Select(directory => new Measured(Ours("ours", directory, Precision.Float32), tokens: 0))];
        Measured[] others = [.. directories.SelectMany(BaselineSides).Select(side => new Measured(side, tokens: 0))];
        Measured[] all = [.. ours, .. others];
        foreach (var measured in all)
            measured.WarmUp();
        for (var round = 0; round < (quick ? 3 : 7); round++)
            foreach (var measured in all)
                measured.Step();
        foreach (var measured in all)
            measured.Side.Dispose();
        foreach (var directory in directories)
            Directory.Delete(directory, recursive: true);

        var workload = Workload.Small(1);
        Console.WriteLine();
        Console.WriteLine(
            $"## Growth with K: L={workload.Layers} d={workload.Width}, P={workload.PromptTokens}, A={workload.AnswerTokens} on average");
        Console.WriteLine();
        Console.WriteLine($"| s a step, K = | {string.Join(" | ", counts)} |");
        Console.WriteLine($"|---|{string.Concat(counts.Select(_ => "---|"))}");
        foreach (var row in new[] { ours, others }.Where(row => row.Length > 0))
            Console.WriteLine($"| {row[0].Side.Name} | {string.Join(" | ", row.Select(measured => $"{measured.StepSeconds:F4}"))} |");
        Console.WriteLine();

        // A straight line, by least squares.
        double[] x = [.. counts.Select(count => (double)count)], y = [.. ours.Select(measured => measured.StepSeconds)];
        var (meanX, meanY) = (x.Average(), y.Average());
        var slope = x.Zip(y).Sum(p => (p.First - meanX) * (p.Second - meanY)) / x.Sum(value => (value - meanX) * (value - meanX));
        var explained = 1 - x.Zip(y).Sum(p => Math.Pow(p.Second - meanY - slope * (p.First - meanX), 2))
            / y.Sum(value => (value - meanY) * (value - meanY));
        Console.WriteLine(
            $"One more answer takes {slope:F4} s, {slope / (meanY - slope * (meanX - 1)):F2} of what the line gives for a single one "
            + $"(tokens: {workload.AnswerTokens / (double)(workload.PromptTokens + workload.AnswerTokens):F2}); "
            + $"a straight line explains {explained:P2} of the variance from K=4 to K=32.");
    }

    /// <summary>What a step and the whole process take with the lower two thirds of the layers frozen, by how these are stored.</summary>
    private void CompareStorages()
    {
        var workload = quick ? Workload.Small(4) : Workload.Large(4);
        var unfrozen = workload.Layers / 3;
        var directory = Directory.CreateTempSubdirectory("reward-model-bench-").FullName;
        workload.Write(directory);
        Measured[] all =
        [
            .. Enum.GetValues<WeightStorage>().Select(storage => new Measured(
                new Side(
                    $"{storage}", Environment.ProcessPath!, "worker", directory, $"{threads}", $"{Precision.Float32}", $"{false}", $"{storage}",
                    $"{unfrozen}"),
                workload.PackedTokens)),
        ];
        foreach (var measured in all)
            measured.WarmUp();
        for (var round = 0; round < (quick ? 3 : 9); round++)
            foreach (var measured in all)
            {
                measured.Step();
                measured.Score();
            }
        Console.WriteLine();
        Console.WriteLine($"## Frozen weights: {workload.Name}, {unfrozen} of {workload.Layers} layers trained");
        Console.WriteLine();
        PrintTable(all, all[0], workload);
    }

    /// <summary>Steps that train adapters, beside one that trains everything.</summary>
    private void CompareAdapters(Workload workload)
    {
        var directory = Directory.CreateTempSubdirectory("reward-model-bench-").FullName;
        workload.Write(directory);
        Measured Adapters(string name, string targets) => new(
            new Side(name, Environment.ProcessPath!, "worker", directory, $"{threads}", $"{Precision.Float32}", $"{false}", targets), workload.PackedTokens);
        var full = new Measured(Ours("all weights", directory, Precision.Float32), workload.PackedTokens);
        Measured[] all =
        [
            full, Adapters($"adapters of attention, rank {LoraRank}", LoraOptions.AttentionTargets),
            Adapters($"adapters of all layers, rank {LoraRank}", LoraOptions.AllLinearTargets),
        ];
        foreach (var measured in all)
            measured.WarmUp();
        for (var round = 0; round < (quick ? 5 : 15); round++)
            foreach (var measured in all)
                measured.Step();
        Console.WriteLine();
        Console.WriteLine($"## Adapters: {workload.Name}, P={workload.PromptTokens}, A={string.Join(' ', workload.AnswerLengths)}");
        Console.WriteLine();
        Console.WriteLine("| side | s a step | peak MiB | step / all weights | peak / all weights |");
        Console.WriteLine("|---|---|---|---|---|");
        foreach (var measured in all)
            Console.WriteLine(
                $"| {measured.Side.Name} | {measured.StepSeconds:F4} | {measured.PeakMemory:F0} | {measured.StepSeconds / full.StepSeconds:F3} "
                + $"| {measured.PeakMemory / full.PeakMemory:F2} |");
        foreach (var measured in all)
            measured.Side.Dispose();
        Directory.Delete(directory, recursive: true);
    }

    private Side Ours(string name, string directory, Precision precision, bool checkpointing = false) =>
        Worker(name, Environment.ProcessPath!, directory, precision, checkpointing);

    private Side[] BaselineSides(string directory) => baseline is null
        ? []
        : [Worker("baseline", Path.Combine(baseline, Path.GetFileName(Environment.ProcessPath!)), directory, Precision.Float32)];

    private Side Worker(string name, string program, string directory, Precision precision, bool checkpointing = false) =>
        new(name, program, "worker", directory, $"{threads}", $"{precision}", $"{checkpointing}");

    private Side Peer(string mode, string directory) => new(mode, Environment.ProcessPath!, "peer", directory, mode, $"{threads}");

    private Side[] PythonSides(string directory) => python is null
        ? []
        : [.. new[] { "once", "best" }.Select(
            mode => new Side($"{mode}, PyTorch", python, PathOf("bench/peer/peer.py"), directory, mode, $"{threads}"))];

    /// <summary>Before anything is timed: all sides compute the same loss and gradients, in processes that do nothing else.</summary>
    private void CheckAgreement(string directory)
    {
        Side[] sides =
        [
            Ours("ours", directory, Precision.Float32),
            Ours("ours, checkpointed", directory, Precision.Float32, checkpointing: true),
            .. BaselineSides(directory),
            Peer("pairs", directory),
            Peer("once", directory),
            .. PythonSides(directory),
        ];
        var answers = sides.Select(side => side.Ask("agree")).ToArray();
        foreach (var side in sides)
            side.Dispose();
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
