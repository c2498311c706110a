using static TorchSharp.torch;

namespace RewardModel.Kernels;

/// <summary>
/// Dropout by <see cref="DropoutHash"/>: x [..., C] of any floating type, and keys of its rows, int64, as many as rows. No mask is kept, the
/// backward pass computes it again. On other devices than the CPU, and for columns of other numbers than 0 to C - 1, given as int64 against
/// the shape of x, it is composed of operators.
/// </summary>
/// <remarks>The settings are the rate.</remarks>
internal sealed unsafe class DropoutKernel : Kernel<DropoutKernel, double>
{
    /// <summary>Dropout of rows at the next site of <see cref="DropoutDraws"/>.</summary>
    /// <param name="x_TC">[T, C] or, of scored rows only, [N, C].</param>
    /// <param name="rate">Share that becomes 0, from above 0 to below 1.</param>
    public static Tensor Next(Tensor x_TC, double rate) => Apply(rate, x_TC, Keys(DropoutDraws.NextKeys(x_TC.size(0)), x_TC.device), null);

    /// <summary>Keys as a tensor, int64.</summary>
    public static Tensor Keys(ulong[] keys, Device device) => DeviceTensor.Of(Array.ConvertAll(keys, key => (long)key), device);

    protected override Tensor[] Compute(double rate, Tensor?[] inputs, List<Tensor?>? saved)
    {
        saved?.AddRange([inputs[1], inputs[2]]);
        return [Dropped(inputs[0]!, inputs[1]!, inputs[2], rate)];
    }

    protected override Tensor?[] Gradients(double rate, IReadOnlyList<Tensor?> saved, Tensor?[] gradients, bool[] needed) =>
        [Dropped(gradients[0]!, saved[0]!, saved[1], rate), null, null];

    private static Tensor Dropped(Tensor x, Tensor keys, Tensor? columns, double rate) =>
        columns is null && KernelSupport.CanTake(x) ? InMemory(x, keys, rate) : Compose(x, keys, columns, rate);

    private static Tensor InMemory(Tensor x, Tensor keys, double rate)
    {
        using var source = x.contiguous();
        var result = TensorMemory.Empty(x.shape);
        var (rows, size) = (keys.numel(), (int)x.size(-1));
        var keyData = (ulong*)LibTorch.DataOf(keys);
        float* sourceData = (float*)LibTorch.DataOf(source), resultData = (float*)LibTorch.DataOf(result);
        TorchThreads.RunRows(rows, (_, first, end) =>
        {
            for (var row = first; row < end; row++)
            {
                var at = row * size;
                switch (LaneWidth.Bits)
                {
                    case 512:
                        DropoutHash.Multiply<Lanes512>(keyData[row], rate, sourceData + at, resultData + at, size);
                        break;
                    case 256:
                        DropoutHash.Multiply<Lanes256>(keyData[row], rate, sourceData + at, resultData + at, size);
                        break;
                    default:
                        DropoutHash.Multiply<Lanes128>(keyData[row], rate, sourceData + at, resultData + at, size);
                        break;
                }
            }
        });
        return result;
    }

    /// <summary>The same of operators.</summary>
    internal static Tensor Compose(Tensor x, Tensor keys, Tensor? columns, double rate)
    {
        using var scope = NewDisposeScope();
        columns ??= arange(x.size(-1), dtype: ScalarType.Int64, device: x.device);
        var areKept = DropoutHash.AreKept(keys.view([.. x.shape[..^1], 1]), columns, rate);
        // The factor of float32 in any type: rounded before the product, it would be wrong for all numbers alike.
        return x.mul(areKept).mul_(DropoutHash.Kept(rate)).MoveToOuterDisposeScope();
    }
}
