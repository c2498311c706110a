using static TorchSharp.torch;

namespace RewardModel.Layers;

/// <summary>
/// Rotary position embedding (Su et al., arXiv 2104.09864) in the layout of Hugging Face checkpoints: channel i of a head is rotated
/// together with channel i + H/2.
/// </summary>
/// <param name="inverseFrequencies">H/2 angles per position, in radians.</param>
internal sealed class RotaryEmbedding(float[] inverseFrequencies)
{
    private int positionCount;
    private Tensor? cos_PH;
    private Tensor? sin_PH;

    /// <summary>cos and sin of each token's angles, both [T, 1, H/2] float32, for all layers of a forward pass.</summary>
    public (Tensor Cos, Tensor Sin) AnglesOf(PackedSequences sequences)
    {
        if (sequences.LongestSequence > positionCount)
            ExtendTables(sequences.LongestSequence);
        return (cos_PH!.index_select(0, sequences.PositionIds).unsqueeze(1), sin_PH!.index_select(0, sequences.PositionIds).unsqueeze(1));
    }

    /// <summary>Rotates every head of every token.</summary>
    /// <param name="x_TNH">[T, N, H].</param>
    /// <param name="angles">Of <see cref="AnglesOf"/> for the same tokens.</param>
    public static Tensor Rotate(Tensor x_TNH, (Tensor Cos, Tensor Sin) angles)
    {
        var half = x_TNH.size(2) / 2;
        var first = x_TNH.narrow(2, 0, half);
        var second = x_TNH.narrow(2, half, half);
        return cat([
            first.mul(angles.Cos).sub(second.mul(angles.Sin)),
            second.mul(angles.Cos).add(first.mul(angles.Sin))], 2);
    }

    private void ExtendTables(int positions)
    {
        cos_PH?.Dispose();
        sin_PH?.Dispose();
        cos_PH = Table(MathF.Cos);
        sin_PH = Table(MathF.Sin);
        positionCount = positions;

        Tensor Table(Func<float, float> function)
        {
            var table = new float[positions, inverseFrequencies.Length];
            for (var position = 0; position < positions; position++)
                for (var i = 0; i < inverseFrequencies.Length; i++)
                    table[position, i] = function(position * inverseFrequencies[i]);
            return tensor(table).DetachFromDisposeScope();
        }
    }
}
