using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace RewardModel.GpuKit;

/// <summary>Runs all parts, one after the other, and writes what they gave as Markdown: after each part, so that nothing is lost.</summary>
internal sealed class Report(string device, string output, string python)
{
    private readonly StringBuilder text = new();
    private readonly Stopwatch clock = Stopwatch.StartNew();
    private bool passes = true;

    /// <summary>Returns whether every check passed; measurements have no part in it.</summary>
    public static bool Write(string device, string output, string python)
    {
        var report = new Report(device, output, python);
        report.WriteAll();
        return report.passes;
    }

    private void WriteAll()
    {
        Add($"# gpu-kit on {device}");
        var machine = Part<Machine>("machine");
        if (machine is null)
            return;
        if (machine.Problem is not null)
        {
            passes = false;
            Add($"{machine.Libraries}. {machine.Problem}");
            return;
        }
        Add($"{machine.Name}; {machine.Libraries}. A large {(device == "cpu" ? "float32" : "bfloat16")} matrix product runs at "
            + Invariant($"{machine.ProductFlops / 1e12:0.###} TFLOP/s."));
        WriteParity();
        WriteFlash();
        WriteTraining();
        WriteNccl();
        WriteShared();
        foreach (var model in Workload.Models)
            WriteMeasurements(model, machine);
        Add(Invariant($"{clock.Elapsed.TotalSeconds:0} s in all. {(passes ? "Every check passed." : "NOT EVERY CHECK PASSED.")}"));
    }

    private void WriteParity()
    {
        if (Part<ParityCheck[]>("parity") is not { } checks)
            return;
        passes &= checks.Length > 0 && checks.All(check => check.Passes);
        Add("## Parity with the reference implementation");
        Add($"Largest differences, float32 unless said. Allowed: {ParityCheck.RewardTolerance} of rewards and loss, "
            + $"{ParityCheck.NormTolerance} of the gradient's norm, {ParityCheck.Bfloat16Tolerance} of the largest reward in bfloat16.");
        AddTable(
            ["architecture", "rewards", "loss", "gradient norm, relative", "rewards in bfloat16, relative", ""],
            checks.Select(check => new[]
            {
                check.Name, Invariant($"{check.Rewards:0.0e+0}"), Invariant($"{check.Loss:0.0e+0}"),
                Invariant($"{check.GradientNorm:0.0e+0}"), Invariant($"{check.InBfloat16:0.0e+0}"), Verdict(check.Passes),
            }));
    }

    private void WriteFlash()
    {
        if (device == "cpu" || Part<FlashCheck[]>("flash") is not { } checks)
            return;
        passes &= checks.Length > 0 && checks.All(check => check.Passes);
        Add("## Flash attention beside its composition");
        Add($"Largest differences as shares of the largest number; {FlashCheck.Tolerance} is allowed.");
        AddTable(["case", "result", "gradient", ""], checks.Select(check => new[]
        {
            check.Case, Invariant($"{check.Result:0.0e+0}"), Invariant($"{check.Gradient:0.0e+0}"), check.Problem ?? Verdict(check.Passes),
        }));
    }

    private void WriteTraining()
    {
        if (Part<TrainingCheck[]>("training") is not { } checks)
            return;
        passes &= checks.All(check => check.Passes);
        Add("## 20 training steps beside those on the CPU");
        Add($"Allowed at every step: {TrainingCheck.Tolerance}, in bfloat16 {TrainingCheck.Bfloat16Tolerance}.");
        AddTable(
            ["model", "first loss", "mean of the last five", "largest difference", "in bfloat16", "with dropout 0.1", "shared by one rank", ""],
            checks.Select(check => new[]
            {
                check.Name, Invariant($"{check.FirstLoss:0.0000}"), Invariant($"{check.LastLoss:0.0000}"),
                Invariant($"{check.Difference:0.0e+0}"), Invariant($"{check.InBfloat16:0.0e+0}"),
                Invariant($"{check.WithDropout:0.0e+0}"), Invariant($"{check.Shared:0.0e+0}"), Verdict(check.Passes),
            }));
    }

    /// <summary>What the ways of sharing cost where there is nobody to share with.</summary>
    private void WriteShared()
    {
        const string workload = "llama-4";
        Add($"## A single rank that shares: {Workload.Named(workload, device).Name}");
        Add("Seconds of a median step, and memory in use, by --shard.");
        AddTable(["--shard", "s / step", "MiB in use"], Measurement.StepSettings.Known.Keys.Select(name =>
            Part<Measurement>("measure", workload, name) is { } found
                ? new[] { name, Invariant($"{found.Seconds:0.0000}"), found.Memory is { } memory ? Invariant($"{memory:0}") : "unknown" }
                : [name, "failed", ""]).ToArray());
    }

    private void WriteNccl()
    {
        if (device == "cpu" || Part<NcclCheck>("nccl") is not { } check)
            return;
        passes &= check.Passes;
        Add("## NCCL of one rank");
        Add(check.Passes
            ? $"{check.Libraries}. Every operation gives the numbers expected. "
              + Invariant($"An all-reduce of {NcclCheck.TimedBytes / 1e6:0} MB takes {1e3 * check.Seconds:0.00} ms.")
            : $"{check.Libraries}. {Verdict(false)}: {string.Join("; ", check.Problems)}");
    }

    private void WriteMeasurements(string model, Machine machine)
    {
        var workloads = Workload.AnswerCounts.Select(answers => $"{model}-{answers}")
            .Select(name => (Name: name, Of: Workload.Named(name, device))).ToArray();
        var (peers, versions) = RunPeer([.. workloads.Select(workload => workload.Of)]);
        Add($"## Speed: {workloads[0].Of.Name.Split(", K=")[0]}");
        var first = workloads[0].Of;
        Add($"{first.ListCount} lists a step, prompts of {first.PromptTokens} tokens, answers of {first.AnswerTokens} +- 50 %, "
            + $"{(device == "cpu" ? "float32" : "bfloat16 products, all else float32")}; medians. Peer: {versions}. Tokens are those of "
            + "the lists, a prompt counted once, for every side. FLOPs are those of a side's own real tokens, 6 per weight and token and "
            + "12 times the width per query and key; padding and what is computed again don't count. MFU: their share of "
            + (machine.NominalFlops > 0
                ? Invariant($"{machine.NominalFlops / 1e12:0} TFLOP/s, which the maker promises.")
                : "the large matrix product above."));
        var peak = machine.NominalFlops > 0 ? machine.NominalFlops : machine.ProductFlops;
        var rows = new List<string[]>();
        foreach (var (name, workload) in workloads)
        {
            var ours = Part<Measurement>("measure", name);
            Row("RewardModel, shared prompt", ours, workload.SharedFlops);
            Row("transformers, each answer once", Peer("once"), workload.SeparateFlops(1));
            Row("transformers, every pair", Peer("pairs"), workload.SeparateFlops(workload.AnswerCount - 1));

            Measurement? Peer(string mode) => peers.GetValueOrDefault((workload.Name, mode));

            void Row(string side, Measurement? found, double flops) => rows.Add(found is null
                ? [workload.Name, side, "failed", "", "", "", "", ""]
                :
                [
                    workload.Name, side, Invariant($"{found.Seconds:0.0000}"), Invariant($"{workload.TokenCount / found.Seconds:0}"),
                    Invariant($"{flops / found.Seconds / 1e12:0.####}"), Invariant($"{100 * flops / found.Seconds / peak:0.0} %"),
                    found.Memory is { } memory ? Invariant($"{memory:0}") : "unknown",
                    ours is null ? "" : Invariant($"{found.Seconds / ours.Seconds:0.00}"),
                ]);
        }
        AddTable(["workload", "side", "s / step", "tokens / s", "TFLOP/s", "MFU", "MiB in use", "times ours"], rows);
    }

    private (Dictionary<(string Workload, string Mode), Measurement> Peers, string Versions) RunPeer(Workload[] workloads)
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, JsonSerializer.Serialize(new
            {
                config = workloads[0].Config,
                rows = workloads[0].PeerRows,
                jobs = workloads.Select(workload => new
                {
                    name = workload.Name,
                    lists = workload.Lists.Select(list => new { prompt = list.PromptIds, answers = list.AnswerIds }),
                }),
            }));
            Console.Error.WriteLine(Invariant($"{clock.Elapsed.TotalSeconds,6:0} s  peer, {workloads[0].Name.Split(", K=")[0]}"));
            var (results, problem) = Parts.Run(python, Path.Combine(AppContext.BaseDirectory, "gpu_peer.py"), file, device);
            var versions = results.Count > 0 ? results[0].GetProperty("versions").GetString()! : "none";
            return (
                results.Skip(1).ToDictionary(
                    result => (result.GetProperty("workload").GetString()!, result.GetProperty("mode").GetString()!),
                    result => new Measurement(result.GetProperty("seconds").GetDouble(), result.GetProperty("memory").GetDouble())),
                problem is null ? versions : $"{versions} ({python} {problem})");
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>A part's result; null, and a line that says why, where it has none.</summary>
    private T? Part<T>(params string[] part) where T : class
    {
        Console.Error.WriteLine(Invariant($"{clock.Elapsed.TotalSeconds,6:0} s  {string.Join(' ', part)}"));
        var (results, problem) = Parts.Run(Environment.ProcessPath!, ["part", device, .. part]);
        if (problem is null && results.Count == 1)
            return results[0].Deserialize<T>();
        passes = false;
        Add($"**{string.Join(' ', part)}: {problem ?? "no result"}**");
        return null;
    }

    private void AddTable(string[] heads, IEnumerable<string[]> rows)
    {
        var table = new StringBuilder();
        foreach (var row in rows.Prepend([.. heads.Select(_ => "---")]).Prepend(heads))
            table.AppendLine($"| {string.Join(" | ", row)} |");
        Add(table.ToString().TrimEnd());
    }

    private void Add(string paragraph)
    {
        Console.WriteLine(paragraph + "\n");
        text.AppendLine(paragraph).AppendLine();
        File.WriteAllText(output, text.ToString());
    }

    private static string Verdict(bool passes) => passes ? "ok" : "**FAILS**";

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
