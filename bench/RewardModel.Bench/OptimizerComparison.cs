using System.Diagnostics;
using RewardModel.Training;
using RewardModel.Training.Optimization;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace RewardModel.Bench;

/// <summary>Times a step of every optimiser on the same gradients, turn by turn, and prints what each takes and keeps.</summary>
/// <param name="threads">How many it computes with.</param>
/// <param name="rounds">Steps of each that count.</param>
internal sealed class OptimizerComparison(int threads, int rounds)
{
    // Seven layers of GPT-2's width and biases, 49.6 million parameters.
    private static readonly long[][] shapes =
    [
        .. Enumerable.Repeat<long[][]>([[2304, 768], [2304], [768, 768], [768], [3072, 768], [3072], [768, 3072], [768]], 7)
            .SelectMany(layer => layer),
    ];

    public void Run()
    {
        set_num_threads(threads);
        Console.WriteLine(Machine.Description);
        Console.WriteLine(
            $"{threads} threads; a step of {shapes.Sum(Count) / 1e6:F1} million parameters, the norm of their gradients not included; "
            + $"medians of {rounds}");
        Console.WriteLine();
        Tensor[] gradients = [.. shapes.Select(shape => randn(shape).mul(1e-3))];
        OptimizerKind[] kinds = Enum.GetValues<OptimizerKind>();
        Optimizer[] optimizers = [.. kinds.Select(kind => Create(kind, gradients))];
        List<double>[] seconds = [.. kinds.Select(_ => new List<double>())];
        for (var round = -3; round < rounds; round++)
            for (var i = 0; i < optimizers.Length; i++)
            {
                var clock = Stopwatch.StartNew();
                optimizers[i].Step(1e-5, gradientScale: 0.5);
                if (round >= 0)
                    seconds[i].Add(clock.Elapsed.TotalSeconds);
            }
        Console.WriteLine("| optimiser | s a step | step / adamw | MB kept |");
        Console.WriteLine("|---|---|---|---|");
        for (var i = 0; i < kinds.Length; i++)
            Console.WriteLine(
                $"| {kinds[i].ToString().ToLowerInvariant()} | {Comparison.Median(seconds[i]):F4} "
                + $"| {Comparison.Median(seconds[i]) / Comparison.Median(seconds[0]):F2} "
                + $"| {optimizers[i].State().Sum(pair => pair.Tensor.numel() * pair.Tensor.element_size()) / 1e6:F1} |");
        foreach (var optimizer in optimizers)
            optimizer.Dispose();
    }

    private static Optimizer Create(OptimizerKind kind, Tensor[] gradients)
    {
        (string Name, Parameter Parameter)[] parameters =
            [.. shapes.Select((shape, i) => ($"{i}", new Parameter(randn(shape).mul(0.02)) { grad = gradients[i] }))];
        return new TrainingOptions { Optimizer = kind }.CreateOptimizer(
            parameters.Select(WeightPart.Of), parameters.ToDictionary(pair => pair.Name, _ => 1.0));
    }

    private static long Count(long[] shape) => shape.Aggregate(1L, (product, size) => product * size);
}
