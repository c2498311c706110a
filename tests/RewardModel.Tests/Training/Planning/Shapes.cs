using RewardModel.Layers;
using RewardModel.Scoring;
using RewardModel.Training.Planning;

namespace RewardModel.Tests.Training.Planning;

/// <summary>Models and clusters that tests plan with.</summary>
internal static class Shapes
{
    /// <summary>A known model without weights.</summary>
    public static RewardTransformer Model(string name) => RewardTransformer.WithoutWeights(NamedModel.ConfigOf(name));

    public static ModelShape Of(string name)
    {
        using var model = Model(name);
        return ModelShape.Of(model);
    }

    /// <summary>Four equal layers of 1,000 parameters and 400 outside, all trained by AdamW.</summary>
    public static ModelShape Small { get; } = new()
    {
        Root = new GroupShape(400, 1600, 400, 3200),
        Layers = [.. Enumerable.Repeat(new GroupShape(1000, 4000, 1000, 8000), 4)],
        LayerShapes = [.. Enumerable.Repeat(new LayerShape(10, new AttentionShape(2, 2, 5), new MlpShape(30, "gelu")), 4)],
        FrozenLayerCount = 0,
        IsCausal = true,
        MaxPositions = 100,
    };

    /// <summary>H100s, eight in a node.</summary>
    public static ClusterShape H100s(int count) => new()
    {
        GpuCount = count,
        MemoryBytes = 80_000_000_000,
        PeakFlops = 989e12,
        MemoryBandwidth = 3.35e12,
        LinkBandwidth = 450e9,
        NodeBandwidth = 400e9,
        NodeLatency = 5e-6,
    };
}
