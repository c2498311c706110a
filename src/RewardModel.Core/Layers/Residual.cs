using RewardModel.Kernels;
using static TorchSharp.torch;

namespace RewardModel.Layers;

/// <summary>
/// Where a pre-norm layer parts: x goes past a sublayer, and its norm goes into it. Both come from one operation, whose gradient is the sum of
/// theirs; autograd would add them in a pass over memory of its own.
/// </summary>
internal readonly record struct Fork(Tensor Residual, Tensor Normed)
{
    /// <param name="results">The norm, and x.</param>
    public Fork(IReadOnlyList<Tensor> results) : this(results[1], results[0])
    {
    }
}

/// <summary>Where it meets again.</summary>
internal static class Residual
{
    /// <summary>x + change, both [T, D].</summary>
    public static Tensor Add(Tensor x_TD, Tensor change_TD) =>
        AddKernel.CanTake(x_TD) ? AddKernel.Apply(default, x_TD, change_TD) : x_TD.add(change_TD);
}
