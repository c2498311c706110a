using RewardModel.Kernels;
using RewardModel.Packing;
using TorchSharp;
using static TorchSharp.torch;

namespace RewardModel.Layers;

/// <summary>How a rotary embedding turns and scales.</summary>
/// <param name="InverseFrequencies">
/// Angle per position of each pair of channels, in radians, float32 as the reference computes with.
/// </param>
/// <param name="Scaling">Factor on cos and sin.</param>
/// <param name="MaxPositions">Most positions that these angles are meant for.</param>
internal sealed record RotarySettings(float[] InverseFrequencies, double Scaling, int MaxPositions);

/// <summary>
/// Rotary position embedding (Su et al., arXiv 2104.09864). Of a head's H channels the first R are rotated, the others passed on as they
/// are: in most Hugging Face checkpoints channel i together with channel i + R/2.
/// </summary>
/// <param name="settings">With R/2 angles.</param>
internal sealed class RotaryEmbedding(RotarySettings settings)
{
    // Passes of several threads share the tables, and one of them may need longer ones: that disposes the others, so none reads meanwhile.
    private readonly Lock tablesLock = new();
    private Tables? tables;

    /// <summary>
    /// cos and sin of each token's angles, both [T, 1, R/2] float32; the caller disposes of them. Layers get them from
    /// <see cref="ForwardPass.AnglesOf"/>.
    /// </summary>
    public (Tensor Cos, Tensor Sin) AnglesOf(PackedSequences sequences)
    {
        lock (tablesLock)
        {
            // The model may have moved since.
            if (tables is null || sequences.LongestSequence > tables.PositionCount
                || tables.Cos_PR.device.ToString() != sequences.Device.ToString())
                ReplaceTables(Math.Max(sequences.LongestSequence, tables?.PositionCount ?? 0), sequences.Device);
            return (Of(tables!.Cos_PR), Of(tables.Sin_PR));
        }

        Tensor Of(Tensor table_PR)
        {
            using var rows_TR = table_PR.index_select(0, sequences.PositionIds);
            return rows_TR.unsqueeze(1).DetachFromDisposeScope();
        }
    }

    /// <summary>Rotates every head of every token.</summary>
    /// <param name="x_TNH">[T, N, H].</param>
    /// <param name="angles">Of <see cref="AnglesOf"/> for the same tokens.</param>
    /// <param name="pairs">Which channels are rotated together.</param>
    public static Tensor Rotate(Tensor x_TNH, (Tensor Cos, Tensor Sin) angles, RotaryPairs pairs = RotaryPairs.Halves) =>
        KernelSupport.CanTake(x_TNH) || x_TNH.device_type != DeviceType.CPU
        ? RotaryKernel.Apply(pairs, x_TNH, angles.Cos, angles.Sin)
        : Compose(x_TNH, angles, pairs);

    /// <summary>The same of TorchSharp's operators, where there is no kernel.</summary>
    internal static Tensor Compose(Tensor x_TNH, (Tensor Cos, Tensor Sin) angles, RotaryPairs pairs = RotaryPairs.Halves)
    {
        var (half, rest) = (angles.Cos.size(2), x_TNH.size(2) - 2 * angles.Cos.size(2));
        var (first, second) = RotaryKernel.Split(pairs, x_TNH, half);
        Tensor[] turned = [first.mul(angles.Cos).sub(second.mul(angles.Sin)), second.mul(angles.Cos).add(first.mul(angles.Sin))];
        var rotated = pairs == RotaryPairs.Halves ? cat(turned, 2) : stack(turned, -1).flatten(2);
        return rest == 0 ? rotated : cat([rotated, x_TNH.narrow(2, 2 * half, rest)], 2);
    }

    private void ReplaceTables(int positions, Device device)
    {
        var older = tables;
        tables = new Tables(positions, Table(MathF.Cos), Table(MathF.Sin));
        older?.Cos_PR.Dispose();
        older?.Sin_PR.Dispose();

        Tensor Table(Func<float, float> function)
        {
            var table = new float[positions, settings.InverseFrequencies.Length];
            for (var position = 0; position < positions; position++)
                for (var i = 0; i < settings.InverseFrequencies.Length; i++)
                    table[position, i] = function(position * settings.InverseFrequencies[i]) * (float)settings.Scaling;
            return tensor(table, device: device).DetachFromDisposeScope();
        }
    }

    /// <summary>cos and sin of the first positions' angles, both [P, R/2].</summary>
    private sealed record Tables(int PositionCount, Tensor Cos_PR, Tensor Sin_PR);
}
