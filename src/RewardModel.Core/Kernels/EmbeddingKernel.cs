using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace RewardModel.Kernels;

/// <summary>
/// Rows of a table [V, D] by their numbers [T], int64; float32 on the CPU, the table's gradient in <see cref="TensorMemory"/>. The table is
/// given as a view of the parameter, so that autograd takes the gradient as it is.
/// </summary>
internal sealed unsafe class EmbeddingKernel : Kernel<EmbeddingKernel, ValueTuple>
{
    /// <summary>Columns that one thread adds up at a time: each task has its own, so the order of the sums does not depend on threads.</summary>
    private const int columnsPerTask = 128;

    /// <summary>Whether it is worth it.</summary>
    public static bool CanTake(Tensor table) => KernelSupport.CanTake(table) && table.numel() >= KernelSupport.LeastElements;

    protected override Tensor[] Compute(ValueTuple settings, Tensor?[] inputs, List<Tensor?>? saved)
    {
        Tensor table = inputs[0]!, ids = inputs[1]!;
        // Of the table its shape is enough: it may be an intermediate result that nobody else keeps.
        saved?.AddRange([tensor(table.shape), ids]);
        return [table.index_select(0, ids)];
    }

    protected override Tensor?[] Gradients(ValueTuple settings, IReadOnlyList<Tensor?> saved, Tensor?[] gradients, bool[] needed)
    {
        using var shape = saved[0]!.data<long>();
        var ids = saved[1]!.contiguous();
        var gradient = gradients[0]!.contiguous();
        var dTable = TensorMemory.Empty(shape.ToArray());
        var (count, size) = ((int)gradient.size(0), (int)dTable.size(1));
        float* gradientData = (float*)LibTorch.DataOf(gradient), dTableData = (float*)LibTorch.DataOf(dTable);
        var idData = (long*)LibTorch.DataOf(ids);
        TorchThreads.RunRows(dTable.size(0), (_, first, end) =>
            NativeMemory.Clear(dTableData + first * size, (nuint)((end - first) * size * sizeof(float))));
        TorchThreads.Run((size + columnsPerTask - 1) / columnsPerTask, task =>
        {
            var (first, end) = (task * columnsPerTask, Math.Min(size, (task + 1) * columnsPerTask));
            for (var row = 0; row < count; row++)
                Add(gradientData + (nint)row * size, dTableData + (nint)idData[row] * size, first, end);
        });
        return [dTable, null];
    }

    private static void Add(float* source, float* target, int first, int end)
    {
        for (var i = first; i < end; i++)
            target[i] += source[i];
    }
}
