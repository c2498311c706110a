namespace RewardModel.Scoring;

/// <summary>Which weights of a model are frozen, and that they are stored in fewer bits than float32.</summary>
/// <remarks>
/// Stored are the matrices of the backbone's frozen linear layers; its frozen embeddings are bfloat16 with every storage. Norms, biases and
/// convolutions, which are small, stay float32, as does what is trained.
/// </remarks>
/// <param name="Storage">How they are stored: any but float32.</param>
/// <param name="UnfrozenLayers">
/// Layers, counted from the last, that are not frozen; nor are the head and what lies between it and the last layer. From 0.
/// </param>
public sealed record FrozenWeights(WeightStorage Storage, int UnfrozenLayers)
{
    /// <summary>How they are stored.</summary>
    public WeightStorage Storage { get; init; } = Storage is WeightStorage.Bfloat16 or WeightStorage.Int8 or WeightStorage.Nf4
        ? Storage
        : throw new ArgumentOutOfRangeException(nameof(Storage), Storage, "expected bfloat16, int8 or nf4");

    /// <summary>Layers, counted from the last, that are not frozen.</summary>
    public int UnfrozenLayers { get; init; } = UnfrozenLayers >= 0
        ? UnfrozenLayers
        : throw new ArgumentOutOfRangeException(nameof(UnfrozenLayers), UnfrozenLayers, "expected 0 or more");
}
