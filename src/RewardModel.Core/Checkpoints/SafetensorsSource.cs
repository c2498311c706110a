namespace RewardModel.Checkpoints;

/// <summary>A tensor to be written to a safetensors file.</summary>
/// <param name="Name">The tensor's name.</param>
/// <param name="Type">The element type.</param>
/// <param name="Shape">The size of each dimension, outermost first; empty for a scalar.</param>
/// <param name="WriteTo">Writes the values, little endian in row-major order, to the stream it is given. Called once.</param>
internal sealed record SafetensorsSource(string Name, SafetensorsType Type, long[] Shape, Action<Stream> WriteTo);
