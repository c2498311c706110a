using System.Diagnostics;
using RewardModel.Layers;
using RewardModel.Scoring;
using TorchSharp;
using static TorchSharp.torch;

namespace RewardModel.Training;

/// <summary>
/// How long the matrix products of a model's layers take, measured one matrix of each shape at a time, so that a model is planned on a machine
/// that it doesn't fit in. Attention, norms and the optimiser come on top: a few per cent of a large model's step.
/// </summary>
internal static class ProductTime
{
    // Enough for products to run at full speed, and few enough for a matrix of 70B models to take seconds on two cores.
    private const int tokens = 128;

    /// <summary>Seconds that a token takes in all layers, there and back.</summary>
    /// <param name="model">Its shapes, and what of it is trained.</param>
    /// <param name="precision">The type that products take.</param>
    /// <param name="checkpointing">Whether layers are computed again in the backward pass.</param>
    /// <param name="device">Where it is measured.</param>
    public static double SecondsPerToken(RewardTransformer model, Precision precision, bool checkpointing, Device device)
    {
        var backbone = model.Backbone;
        var frozen = backbone.FrozenLayerCount;
        var areWeightsTrained = backbone.Layers.Count > frozen && model.ModelAdapter is null;
        var measured = new Dictionary<MatrixShape, (double Forward, double Backward)>();
        var sum = 0.0;
        foreach (var (layer, shape) in backbone.LayerShapes.Index())
            foreach (var matrix in shape.MatricesOfToken)
            {
                if (!measured.TryGetValue(matrix, out var time))
                    measured.Add(matrix, time = Measure(matrix, areWeightsTrained, precision, device));
                sum += time.Forward + (layer < frozen ? 0 : time.Backward + (checkpointing ? time.Forward : 0));
            }
        return sum / tokens;
    }

    private static (double Forward, double Backward) Measure(MatrixShape shape, bool isTrained, Precision precision, Device device)
    {
        using var scope = NewDisposeScope();
        using var layer = new Linear(shape.Inputs, shape.Outputs, hasBias: false) { Precision = precision };
        using (no_grad())
            layer.weight.zero_();
        layer.weight.requires_grad = isTrained;
        layer.to(device);
        (double, double) result = default;
        // The first pass pays for what every process, and every new shape, needs once.
        for (var pass = 0; pass < 2; pass++)
        {
            using var inner = NewDisposeScope();
            var x = ones(tokens, shape.Inputs, device: device).requires_grad_();
            var clock = Stopwatch.StartNew();
            var y = layer.call(x);
            Wait(y);
            var forward = clock.Elapsed.TotalSeconds;
            y.backward([ones_like(y)]);
            Wait(x.grad!);
            result = (forward, clock.Elapsed.TotalSeconds - forward);
            layer.zero_grad();
        }
        return result;
    }

    /// <summary>Reads a number back, which a GPU has first to compute.</summary>
    private static void Wait(Tensor tensor) => tensor[0, 0].cpu().item<float>();
}
