using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using RewardModel.Checkpoints;
using RewardModel.Layers;

namespace RewardModel.Backbones;

/// <summary>The backbone that a config.json describes, of checked settings, before it is made.</summary>
internal sealed partial class BackboneDescription(string path, IBackboneConfig config, Func<double, Backbone> create)
{
    // A few times what the files hold may be files that lack a part, whose tensors are then named one by one.
    private const int mostTimes = 4;
    private const int fewLayers = 64;
    private const long fewNumbers = 1 << 24;

    /// <summary>Numbers of the matrices in layers and embeddings: biases, norms and the head are not among them.</summary>
    public Int128 MatrixSize => Enumerable.Range(0, config.LayerCount).GroupBy(config.LayerShapeOf)
        .Aggregate((Int128)config.EmbeddingSize, (sum, layers) => sum + (Int128)layers.Count() * SizeOf(layers.Key));

    // Matrices have at most 2^20 x 2^23 numbers, and a layer has ten at most, or three of each of 2^12 experts.
    private static long SizeOf(LayerShape layer) => layer.Matrices.Sum(matrix => matrix.Size);

    /// <summary>
    /// Checks that a checkpoint can have the weights, by the headers of its files alone, so that nothing is made that they have no values for.
    /// </summary>
    /// <exception cref="CheckpointException">They hold many times less.</exception>
    public void CheckFits(CheckpointReader weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        var entries = weights.Names.Select(weights.Entry).ToArray();
        var held = entries.Sum(entry => entry.Shape.Aggregate(1L, (product, size) => product * size));
        var layers = entries.Select(entry => LayerNumber().Match(entry.Name)).Where(match => match.Success)
            .Select(match => int.TryParse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture, out var number) ? number + 1L : 0)
            .DefaultIfEmpty(0).Max();
        if (config.LayerCount <= mostTimes * layers + fewLayers && MatrixSize <= (Int128)mostTimes * held + fewNumbers)
            return;
        throw new CheckpointException(
            path,
            [
                $"the settings describe {config.LayerCount} layers, and matrices of {MatrixSize} numbers; the weights in "
                    + $"'{weights.Directory}' are tensors of {layers} layers, and {held} numbers",
            ],
            "Use the config.json that belongs to these weights.");
    }

    /// <summary>Makes it, its weights not yet set.</summary>
    /// <param name="dropout">Rate for every dropout the architecture has.</param>
    /// <exception cref="CheckpointException">There is not enough memory.</exception>
    public Backbone Create(double dropout)
    {
        try
        {
            return create(dropout);
        }
        // What libtorch's allocator throws.
        catch (ExternalException e)
        {
            throw new CheckpointException(
                path,
                [$"memory for {config.LayerCount} layers and matrices of {MatrixSize} numbers is not available"],
                "Use a smaller model, or a machine with more memory.", e);
        }
    }

    [GeneratedRegex(@"\.(\d{1,9})\.")]
    private static partial Regex LayerNumber();
}
