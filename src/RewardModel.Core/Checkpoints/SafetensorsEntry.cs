namespace RewardModel.Checkpoints;

/// <summary>One tensor of a safetensors file: its description, not its values.</summary>
/// <param name="Name">The tensor's name, such as <c>model.norm.weight</c>.</param>
/// <param name="Type">The element type.</param>
/// <param name="Shape">The size of each dimension, outermost first; empty for a scalar. The values lie in row-major order.</param>
/// <param name="Offset">Where the values begin, in bytes from the start of the file.</param>
/// <param name="Length">Bytes of the values.</param>
internal sealed record SafetensorsEntry(string Name, SafetensorsType Type, long[] Shape, long Offset, long Length);
