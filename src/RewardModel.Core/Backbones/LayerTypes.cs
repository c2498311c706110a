using RewardModel.Checkpoints;

namespace RewardModel.Backbones;

/// <summary>Which layers attend within a window only, in architectures where some do.</summary>
internal static class LayerTypes
{
    public const string Full = "full_attention";
    public const string Sliding = "sliding_attention";

    /// <param name="reader">The settings, with <c>layer_types</c> or without.</param>
    /// <param name="layerCount">Count of layers.</param>
    /// <param name="isSliding">The rule, by a layer's number from 0, where <c>layer_types</c> is absent.</param>
    /// <returns>True for each layer that attends within a window.</returns>
    public static IReadOnlyList<bool> Read(ConfigReader reader, int layerCount, Func<int, bool> isSliding)
    {
        if (reader.OptionalStrings("layer_types") is not { } types)
            return [.. Enumerable.Range(0, layerCount).Select(isSliding)];
        if (types.Count != layerCount)
            reader.Problem(
                $"layer_types has {types.Count} entries and num_hidden_layers is {layerCount}; expected one entry for each layer");
        foreach (var type in types.Distinct().Where(type => type is not Full and not Sliding))
            reader.Problem($"layer_types has {Quoted.Text(type)}; expected \"{Full}\" or \"{Sliding}\"");
        return [.. types.Select(type => type == Sliding)];
    }
}
