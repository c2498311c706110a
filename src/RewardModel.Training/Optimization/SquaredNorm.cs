using System.Numerics;
using RewardModel.Kernels;
using static TorchSharp.torch;

namespace RewardModel.Training.Optimization;

/// <summary>The sum of the squares of all numbers of float32 tensors, added up in float64. In a dispose scope.</summary>
internal static unsafe class SquaredNorm
{
    /// <summary>Elements that one thread takes at a time. Fixed, so that sums don't depend on the count of threads.</summary>
    private const int blockLength = 1 << 16;

    /// <summary>Elements that are converted to float64 at a time: bounds memory.</summary>
    private const long chunkLength = 1 << 24;

    /// <summary>Elements whose squares are first added up in float32: see <see cref="ByOperators"/>.</summary>
    private const long rowLength = 1024;

    /// <summary>Tensors of fewer elements are added up together.</summary>
    private const long smallLength = 1 << 16;

    /// <summary>On the CPU, over the tensors' memory.</summary>
    public static double OverMemory(IEnumerable<Tensor> tensors)
    {
        var blocks = new List<(IntPtr Data, int Length)>();
        foreach (var tensor in tensors)
        {
            var data = (float*)LibTorch.DataOf(tensor.contiguous());
            for (long i = 0; i < tensor.numel(); i += blockLength)
                blocks.Add(((IntPtr)(data + i), (int)Math.Min(blockLength, tensor.numel() - i)));
        }
        var sums = new double[blocks.Count];
        TorchThreads.Run(blocks.Count, b => sums[b] = Sum((float*)blocks[b].Data, blocks[b].Length));
        return sums.Sum();
    }

    /// <summary>
    /// By operators, on any device: row by row in float32, and of rows in float64: a single pass over memory that writes next to nothing, where
    /// a conversion would write and read back twice as much as it read. Where that is beyond float32's range, or too near its lower end to
    /// tell, all of it in float64.
    /// </summary>
    public static double ByOperators(IEnumerable<Tensor> tensors)
    {
        const double least = 1e-25;
        Tensor[] all = [.. tensors.Select(tensor => tensor.contiguous().view(-1))];
        if (all.Length == 0)
            return 0;
        // Most are small: one copy of them takes less time than a call for each.
        var bySize = all.ToLookup(tensor => tensor.numel() >= smallLength);
        var small = bySize[false].ToArray();
        var sum = Read(SumOfSquares(cat([.. bySize[true].Concat(small.Length == 0 ? [] : [cat(small)]).SelectMany(NormsOfRows)])));
        return sum is >= least and < double.PositiveInfinity
            ? sum
            : Read(cat([.. all.SelectMany(Chunks).Select(SumOfSquares)]).sum());
    }

    private static double Sum(float* values, int length)
    {
        var sums = Vector<double>.Zero;
        var i = 0;
        for (; i <= length - Vector<float>.Count; i += Vector<float>.Count)
        {
            Vector.Widen(Vector.Load(values + i), out var low, out var high);
            sums += low * low + high * high;
        }
        var sum = Vector.Sum(sums);
        for (; i < length; i++)
            sum += (double)values[i] * values[i];
        return sum;
    }

    // The one place where a step reads a number of its gradients back.
    private static double Read(Tensor sum) => sum.cpu().item<double>();

    private static IEnumerable<Tensor> NormsOfRows(Tensor flat)
    {
        var rest = flat.numel() % rowLength;
        if (flat.numel() > rest)
            yield return NormOfEach(flat.narrow(0, 0, flat.numel() - rest).view(-1, rowLength));
        if (rest > 0)
            yield return NormOfEach(flat.narrow(0, flat.numel() - rest, rest).view(1, rest));
    }

    /// <summary>
    /// Of each row its Euclidean norm. Not through TorchSharp, whose number for the order of the norm may be collected before libtorch reads it.
    /// </summary>
    private static Tensor NormOfEach(Tensor rows) => new OperatorCall("aten::frobenius_norm", "dim").Tensor(rows)
        .Ints(1).Bool(false).Call(1)[0];

    private static IEnumerable<Tensor> Chunks(Tensor flat)
    {
        for (long start = 0; start < flat.numel(); start += chunkLength)
            yield return flat.narrow(0, start, Math.Min(chunkLength, flat.numel() - start));
    }

    private static Tensor SumOfSquares(Tensor chunk)
    {
        using var scope = NewDisposeScope();
        var exact = chunk.to(float64);
        return exact.mul(exact).sum().view(1).MoveToOuterDisposeScope();
    }
}
