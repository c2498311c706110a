using RewardModel.Kernels;
using static TorchSharp.torch;

namespace RewardModel.Layers;

/// <summary>Dropout as a function: nothing to register, and nothing to do at rate 0 or in evaluation.</summary>
internal static class Dropout
{
    /// <param name="x">Rows of tokens, or one for each scored sequence: [T, D] or [N, D]. What they draw by is the pass's.</param>
    /// <param name="rate">Share that becomes 0.</param>
    /// <param name="training">Whether there is dropout.</param>
    public static Tensor Apply(Tensor x, double rate, bool training) => training && rate > 0 ? DropoutKernel.Next(x, rate) : x;

    /// <inheritdoc cref="DropoutDraws.OfTable"/>
    public static TResult OfTable<TResult>(Func<TResult> compute) => DropoutDraws.OfTable(compute);
}
