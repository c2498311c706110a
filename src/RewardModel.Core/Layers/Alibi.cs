using RewardModel.Packing;
using static TorchSharp.torch;

namespace RewardModel.Layers;

/// <summary>
/// Attention with linear biases (Press et al., arXiv 2108.12409): the further back a key is, the lower its score, by a slope of each head's own.
/// As a softmax does not see what all scores of a query have in common, what is added is the slope times the key's position.
/// </summary>
/// <param name="headCount">N.</param>
internal sealed class Alibi(int headCount)
{
    /// <summary>
    /// Of N heads, for N a power of two: 2^(-8/N), its square and so on. For any other N those of the next lower power of two, and then every
    /// second one of the next higher, as the paper's code has it.
    /// </summary>
    public IReadOnlyList<float> Slopes { get; } = SlopesOf(headCount);

    /// <summary>What is added to scores, [N, P] float32 for P positions of the longest sequence; the caller disposes of it.</summary>
    public Tensor BiasOf(PackedSequences sequences)
    {
        using var scope = NewDisposeScope();
        var slopes_N1 = tensor(Slopes.ToArray(), device: sequences.Device).unsqueeze(1);
        return slopes_N1.mul(arange(sequences.LongestSequence, dtype: float32, device: sequences.Device)).DetachFromDisposeScope();
    }

    private static float[] SlopesOf(int headCount)
    {
        var power = 1 << (int)Math.Log2(headCount);
        return
        [
            .. Geometric(power).Take(headCount),
            .. Geometric(2 * power).Where((_, i) => i % 2 == 0).Take(headCount - power),
        ];

        // Powers of a base that is rounded to float32, as the reference has it.
        static IEnumerable<float> Geometric(int count) =>
            Enumerable.Range(1, count).Select(i => (float)Math.Pow((float)Math.Pow(2, -8.0 / count), i));
    }
}
