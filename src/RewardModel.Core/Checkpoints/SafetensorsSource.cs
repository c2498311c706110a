namespace RewardModel.Checkpoints;

/// <summary>A tensor to be written to a safetensors file, or this process's share of it.</summary>
/// <param name="Name">The tensor's name.</param>
/// <param name="Type">The element type.</param>
/// <param name="Shape">The size of each dimension, outermost first; empty for a scalar.</param>
/// <param name="WriteTo">Writes the values, little endian in row-major order, to the stream it is given. Called once.</param>
internal sealed record SafetensorsSource(string Name, SafetensorsType Type, long[] Shape, Action<Stream> WriteTo)
{
    /// <summary>Index of the first element that is written here; the others are other processes'.</summary>
    public long First { get; init; }

    /// <summary>How many elements are written here, from the first on. Unless set, all of them.</summary>
    public long Count { get; init; } = Shape.Aggregate(1L, (product, size) => product * size);
}
