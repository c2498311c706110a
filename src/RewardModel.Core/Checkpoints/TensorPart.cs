using static TorchSharp.torch;

namespace RewardModel.Checkpoints;

/// <summary>A run of a tensor's elements, in row-major order: what one process holds of a tensor that several share; mostly all of it.</summary>
/// <param name="Name">The whole tensor's name.</param>
/// <param name="Tensor">The elements, contiguous, in any shape; may be none.</param>
/// <param name="Shape">The whole tensor's shape.</param>
/// <param name="First">Index of the first element in the whole.</param>
internal sealed record TensorPart(string Name, Tensor Tensor, long[] Shape, long First)
{
    /// <summary>A whole tensor.</summary>
    public TensorPart(string name, Tensor tensor) : this(name, tensor, tensor.shape, 0)
    {
    }
}
