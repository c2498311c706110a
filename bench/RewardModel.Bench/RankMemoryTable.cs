using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using RewardModel.Scoring;
using RewardModel.Training;
using RewardModel.Training.Planning;

namespace RewardModel.Bench;

/// <summary>
/// The memory of ranks that train a model together, beside what <see cref="RankMemory"/> says, in MB. From a rank's peak is taken what a
/// rank takes that does the same with next to no model: .NET, libtorch, MPI and the code that runs.
/// </summary>
/// <param name="steps">Steps of each run; moments are there from the first one on.</param>
internal sealed class RankMemoryTable(int steps)
{
    private const int loraRank = 16;

    private readonly string folder = Directory.CreateTempSubdirectory("reward-model-ranks-").FullName;

    public void Run()
    {
        Console.WriteLine(Machine.Description);
        RankModel baseline = RankModel.Named("baseline"), model = RankModel.Named("memory");
        foreach (var written in new[] { baseline, model })
            written.Write(Path.Combine(folder, written.Name));
        Console.WriteLine(
            $"a Llama of {model.Layers} layers of {model.Width}, {RankModel.ListsPerRank} lists of {model.TokensPerList} tokens a rank and step, each "
            + $"a micro-batch; {steps} steps; the rank with the highest peak");
        try
        {
            foreach (int? rank in new int?[] { null, loraRank })
                Print(baseline, model, rank);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private void Print(RankModel baseline, RankModel model, int? lora)
    {
        Console.WriteLine();
        Console.WriteLine($"## {(lora is null ? "all weights trained" : $"adapters of rank {lora}, all linear layers")}");
        Console.WriteLine();
        Console.WriteLine(
            "| ranks | shard | weights | gathered | gradients | whole | moments | activations | buffers | formula | measured | formula / measured | "
            + "peak | without a model |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|");
        foreach (var rankCount in lora is null ? new[] { 1, 2, 4 } : [1, 2])
            foreach (var sharding in rankCount == 1 ? [Sharding.None] : Enum.GetValues<Sharding>())
            {
                var formula = Formula(model, sharding, rankCount, lora);
                var (peak, without) = (Peak(model, sharding, rankCount, lora), Peak(baseline, sharding, rankCount, lora));
                var measured = peak - without;
                long[] parts =
                [
                    formula.Weights, formula.GatheredWeights, formula.Gradients, formula.GatheredGradients, formula.Moments,
                    formula.Activations, formula.Buffers, formula.Total,
                ];
                Console.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"| {rankCount} | {sharding.ToString().ToLowerInvariant()} | {string.Join(" | ", parts.Select(part => $"{part / 1e6:F1}"))} "
                    + $"| {measured:F1} | {formula.Total / 1e6 / measured:F2} | {peak:F1} | {without:F1} |"));
            }
    }

    private static RankMemory Formula(RankModel ranked, Sharding sharding, int rankCount, int? lora)
    {
        using var model = RewardTransformer.WithoutWeights(ranked.Config);
        Trainer.ChooseTrained(model, ranked.Options("", "", sharding, rankCount, steps: 1, lora));
        var batches = ranked.WorkloadOf(rankCount).BatchesOf(rankCount, ranked.TokensPerList, model.Backbone.IsCausal);
        var settings = new StepSettings(sharding, ranked.TokensPerList);
        return RankMemory.Of(
            ModelShape.Of(model), sharding, rankCount,
            ActivationMemory.Of(model, batches.Largest, Precision.Float32, settings.Recomputes, isOnGpu: false),
            isOnGpu: false);
    }

    /// <summary>The highest peak of a run's ranks.</summary>
    private double Peak(RankModel model, Sharding sharding, int rankCount, int? lora)
    {
        var output = Path.Combine(folder, "output");
        string[] worker =
        [
            Environment.ProcessPath!, "rank-worker", model.Name, Path.Combine(folder, model.Name), output, $"{sharding}", $"{steps}",
            .. lora is null ? (string[])[] : [$"{lora}"],
        ];
        string[] command = rankCount == 1
            ? worker
            : ["mpirun", "--allow-run-as-root", "--oversubscribe", "--bind-to", "none", "-np", $"{rankCount}", .. worker];
        var start = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true };
        // Open MPI gives ranks a terminal, which .NET would set up.
        start.Environment["TERM"] = "dumb";
        using var process = Process.Start(start)!;
        var answer = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{string.Join(' ', command)} ended with exit code {process.ExitCode}, see above");
        Directory.Delete(output, recursive: true);
        return JsonNode.Parse(answer)!["mib"]!.AsArray().Max(mib => (double)mib!) * 1.048576;
    }
}
