using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using RewardModel.Training.Planning;
using RewardModel.Training.Runs;

namespace RewardModel.Cli;

/// <summary>Plans as people and programs read them.</summary>
internal static class PlanText
{
    private static readonly JsonSerializerOptions jsonOptions = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower) },
    };

    public static string Of(RunPlan plan, PlanSimulation? simulation)
    {
        var (request, cluster, workload) = (plan.Request, plan.Request.Cluster, plan.Request.Workload);
        var lines = new List<string>();
        void Line(string name, string value) => lines.Add($"{name,-14}{value}");
        Line("model", Invariant($"{request.Model}, {plan.ParameterCount:N0} parameters, {plan.TrainedParameterCount:N0} of them trained"));
        Line("gpus", Invariant($"{cluster.GpuCount} in {cluster.NodeCount} {(cluster.NodeCount == 1 ? "node" : "nodes")}, ")
            + $"{Sizes.Bytes(cluster.UsableBytes)} of {Sizes.Bytes(cluster.MemoryBytes)} usable each, "
            + Invariant($"{cluster.PeakFlops / 1e12:N0} TFLOP/s in {OptionText.NameOf(request.Options.Precision)}"));
        Line("network", Invariant($"{cluster.LinkBandwidth / 1e9:G4} GB/s and {cluster.LinkLatency * 1e6:G4} us in a node")
            + (cluster.NodeCount == 1 ? "" : Invariant(
                $", {cluster.NodeBandwidth / 1e9:G4} GB/s a node and {cluster.NodeLatency * 1e6:G4} us between nodes")));
        Line("data", Invariant($"{workload.ListCount:N0} lists of {workload.AnswerCount} answers of {workload.AnswerTokens} tokens, ")
            + Invariant($"prompts of {workload.PromptTokens}: {plan.TokensPerList:N0} tokens a list, ")
            + Invariant($"{workload.ListsPerStep} lists a step"));
        lines.Add("");
        lines.AddRange(StepTable(plan));
        lines.Add("");
        if (plan.Chosen is { } chosen)
            Describe(plan, chosen, Line);
        else
            Line("result", NothingFits(plan));
        if (plan.Hybrid is { } hybrid)
            Line("hybrid", Invariant($"weights divided within nodes and copied between them: {Sizes.Bytes(hybrid.Memory.Total)}, ")
                + (hybrid.Fits ? Invariant($"{hybrid.Time.Total:G3} s a step") : "too much")
                    + "; this trainer divides among all ranks only");
        if (simulation is not null)
            lines.AddRange(SimulationLines(plan, simulation));
        return string.Join('\n', lines);
    }

    /// <summary>A row for each plan.</summary>
    public static string Table(IReadOnlyList<(string Title, RunPlan Plan)> plans)
    {
        var hasPrice = plans[0].Plan.Request.HourPrice is not null;
        string[] head =
        [
            "run", "parameters", "shard", "tokens", "again", "GB a GPU", "s a step", "steps", "efficiency", "time",
            "GPU hours", .. hasPrice ? ["cost"] : Array.Empty<string>(),
        ];
        return Columns([head, .. plans.Select(pair =>
        {
            var plan = pair.Plan;
            string[] start = [pair.Title, Invariant($"{plan.ParameterCount / 1e9:N1} B")];
            return plan.Chosen is not { } step
                ? [.. start, plan.LeastGpuCount is { } least ? $"does not fit: {least} GPUs" : "does not fit"]
                : (string[])
                [
                    .. start, OptionText.NameOf(step.Settings.Sharding), Invariant($"{step.Settings.MaxTokensPerBatch}"),
                    step.Settings.Recomputes ? "yes" : "no", Invariant($"{step.Memory.Total / 1e9:N1}"), Invariant($"{step.Time.Total:G3}"),
                    Invariant($"{plan.StepCount:N0}"), Invariant($"{100 * step.Time.Efficiency:N0} %"),
                    Duration(plan.ExpectedSeconds!.Value), Invariant($"{plan.GpuHours:N1}"),
                    .. plan.Cost is { } cost ? [Invariant($"{cost:N0}")] : Array.Empty<string>(),
                ];
        })]);
    }

    public static string Json(RunPlan plan, PlanSimulation? simulation) => JsonSerializer.Serialize(
        new
        {
            plan.Request.Model,
            plan.ParameterCount,
            plan.TrainedParameterCount,
            plan.Request.Cluster,
            plan.Request.Workload,
            plan.TokensPerList,
            plan.Steps,
            plan.Chosen,
            plan.Hybrid,
            plan.LeastGpuCount,
            plan.TensorDegree,
            plan.StepCount,
            plan.RunSeconds,
            plan.StateBytes,
            plan.Failures,
            plan.ExpectedSeconds,
            plan.GpuHours,
            plan.Cost,
            Simulation = simulation,
        },
        jsonOptions);

    /// <summary>Memory by part and the time of each sharding.</summary>
    private static string[] StepTable(RunPlan plan)
    {
        string[] head =
        [
            "GB a GPU", "weights", "gathered", "gradients", "whole", "moments", "averages", "activations", "buffers", "in all",
            "", "s a step", "GB sent", "tokens", "again",
        ];
        return Columns([head, .. plan.Steps.Select(step =>
        {
            var memory = step.Memory;
            return (string[])
            [
                OptionText.NameOf(step.Settings.Sharding),
                .. new[]
                {
                    memory.Weights, memory.GatheredWeights, memory.Gradients, memory.GatheredGradients, memory.Moments, memory.Averages,
                    memory.Activations, memory.Buffers, memory.Total,
                }.Select(bytes => Invariant($"{bytes / 1e9:N1}")),
                step.Fits ? "fits" : "too much", Invariant($"{step.Time.Total:G3}"), Invariant($"{step.Time.BytesSent / 1e9:N1}"),
                Invariant($"{step.Settings.MaxTokensPerBatch}"), step.Settings.Recomputes ? "yes" : "no",
            ];
        })]).Split('\n');
    }

    private static void Describe(RunPlan plan, PlannedStep chosen, Action<string, string> line)
    {
        var (settings, time, request) = (chosen.Settings, chosen.Time, plan.Request);
        line("chosen", $"--shard {OptionText.NameOf(settings.Sharding)} --max-tokens-per-batch {settings.MaxTokensPerBatch}"
            + (settings.Recomputes ? " --activation-checkpointing" : "")
            + (settings.OffloadsOptimizer
                ? $" --offload-optimizer, {Sizes.Bytes(chosen.Memory.HostBytes)} of the CPU's memory a GPU"
                : ""));
        line("step", Invariant($"{time.Total:G3} s: computation {time.Computation:G3}, messages {time.ExposedCommunication:G3} exposed of ")
            + Invariant($"{time.Communication:G3}, optimiser {time.Optimizer:G3}, slowest rank {time.Straggling:G3}, ")
            + Invariant($"fixed {time.Fixed:G3}"));
        var ofPeak = time.Flops / time.Total / request.Cluster.GpuCount / request.Cluster.PeakFlops;
        line("", Invariant($"{time.Tokens:N0} tokens, micro-batches of a GPU: {time.BatchCount}; ")
            + Invariant($"{time.TokensPerSecond:N0} tokens a second; {100 * time.Efficiency:N0} % of it all GPUs compute, ")
            + Invariant($"{100 * ofPeak:N1} % of their peak"));
        line("bottleneck", OptionText.NameOf(time.Bottleneck));
        var failures = plan.Failures;
        line("run", Invariant($"{plan.StepCount:N0} steps, {Duration(plan.RunSeconds!.Value)} without failures"));
        line("failures", $"one in {Duration(failures.MeanSecondsBetweenFailures)}; a state of {Sizes.Bytes(plan.StateBytes)} "
            + Invariant($"takes {failures.WriteSeconds:N1} s, ")
            + $"best every {Duration(failures.Daly)} (Daly; Young: {Duration(failures.Young)})");
        line("cost", Invariant($"{Duration(plan.ExpectedSeconds!.Value)} and {plan.GpuHours:N1} GPU hours expected")
            + (plan.Cost is { } cost ? Invariant($", {cost:N0} at {request.HourPrice} an hour") : ""));
    }

    private static string NothingFits(RunPlan plan)
    {
        var what = plan.Request.Sharding is { } sharding ? $"--shard {OptionText.NameOf(sharding)}" : "no sharding";
        var found = plan.Request.Sharding is null ? "fits" : "does not fit";
        return $"{what} {found} on {plan.Request.Cluster.GpuCount} GPUs. "
            + (plan.LeastGpuCount is { } least
                ? $"It would on {least}. Give more --gpus, or keep less: --optimizer adamw-8bit, --offload-optimizer, --lora-rank."
                : plan.TensorDegree is { } degree
                    ? $"Two layers and what is outside of them are too much for a GPU, whatever is divided: matrices would have to be "
                        + $"cut into {degree} parts (tensor parallelism), which this trainer can't do. Give GPUs with more memory, or "
                        + "shorter lists."
                    : "More GPUs don't help. Divide more: --shard parameters.");
    }

    private static IEnumerable<string> SimulationLines(RunPlan plan, PlanSimulation simulation)
    {
        var run = simulation.Run;
        yield return "";
        yield return $"{"simulated",-14}"
            + Invariant($"{Duration(run.Seconds)} for {run.StepCount:N0} steps on {plan.Request.Cluster.GpuCount} ranks: ")
            + Invariant($"{run.FailureCount} failures, {run.StateCount} states in {Duration(run.WritingSeconds)}, ")
            + $"{Duration(run.LostSeconds)} lost, "
            + Invariant($"{Duration(run.RestartingSeconds)} restarting; goodput {100 * run.Goodput:N2} % ({run.EventCount:N0} events)");
        yield return "";
        var text = Columns([["state every", "goodput, simulated", "goodput, Daly"], .. simulation.Intervals.Select(interval => (string[])
        [
            Duration(interval.Seconds), Invariant($"{100 * interval.Goodput:N2} +- {100 * interval.Error:N2} %"),
            Invariant($"{100 * interval.Expected:N2} %"),
        ])]);
        foreach (var line in text.Split('\n'))
            yield return line;
    }

    private static string Columns(IReadOnlyList<string[]> rows)
    {
        var widths = rows.SelectMany(row => row.Length == rows[0].Length ? row.Select((cell, i) => (i, cell.Length)) : [])
            .GroupBy(pair => pair.i, pair => pair.Length).ToDictionary(group => group.Key, group => group.Max());
        widths[0] = rows.Max(row => row[0].Length);
        return string.Join('\n', rows.Select(row => string.Join("  ", row.Select((cell, i) =>
            i == 0 ? cell.PadRight(widths[i]) : cell.PadLeft(row.Length == rows[0].Length ? widths[i] : 0))).TrimEnd()));
    }

    private static string Duration(double seconds) => seconds < 60
        ? Invariant($"{seconds:N1} s")
        : seconds < 1e9 ? Sizes.Time(TimeSpan.FromSeconds(seconds)) : Invariant($"{seconds / 86400 / 365:N0} years");

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
