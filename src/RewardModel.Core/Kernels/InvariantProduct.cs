using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace RewardModel.Kernels;

/// <summary>
/// x W^T + b whose rows don't depend on one another, to the bit: every number is the sum of its products in the order of the inner
/// dimension, whatever the count of rows and threads and the width of vectors. A library's product divides its work, and so its sums, by the
/// shape of all of it.
/// </summary>
/// <remarks>T rows, I numbers of each, O columns. Float32 on the CPU, without gradients.</remarks>
internal static unsafe class InvariantProduct
{
    /// <summary>Rows of a task, whose results stay in a second-level cache; a multiple of <see cref="TileProduct.BlockRows"/>.</summary>
    private const int taskRows = 84 * TileProduct.BlockRows;

    /// <summary>Of the inner dimension as much as makes a panel of at most 64 KiB, which stays in a second-level cache. It changes no bit.</summary>
    private const int blockSteps = 512;

    /// <param name="x_TI">[T, I], float32.</param>
    /// <param name="weight_OI">[O, I], float32, of any strides.</param>
    /// <param name="bias">[O], float32, or null.</param>
    /// <returns>[T, O], float32.</returns>
    /// <exception cref="InvalidOperationException">The factors are elsewhere, or of another type.</exception>
    public static Tensor Of(Tensor x_TI, Tensor weight_OI, Tensor? bias = null)
    {
        if (!KernelSupport.CanTake(x_TI) || !KernelSupport.CanTake(weight_OI))
            throw new InvalidOperationException(
                $"Rows can't be computed independently of each other on {weight_OI.device} in {weight_OI.dtype}; expected float32 on the CPU.");
        var x = x_TI.stride(1) == 1 ? x_TI : x_TI.contiguous();
        var result = TensorMemory.Empty(x.size(0), weight_OI.size(0));
        var problem = new Problem(x, weight_OI, bias, result);
        switch (LaneWidth.Bits)
        {
            case 512:
                Compute<Lanes512>(problem);
                break;
            case 256:
                Compute<Lanes256>(problem);
                break;
            default:
                Compute<Lanes128>(problem);
                break;
        }
        return result;
    }

    private static void Compute<TLanes>(Problem problem) where TLanes : struct, ILanes<TLanes>
    {
        var width = 2 * TLanes.Count;
        int panels = (problem.Columns + width - 1) / width, parts = (problem.Rows + taskRows - 1) / taskRows;
        TorchThreads.Run(panels * parts, task =>
            Part<TLanes>(problem, task / parts * width, task % parts * taskRows, Math.Min(taskRows, problem.Rows - task % parts * taskRows)));
    }

    /// <summary>Two vectors of columns of some rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Part<TLanes>(Problem problem, int column, int firstRow, int rows) where TLanes : struct, ILanes<TLanes>
    {
        const int blockRows = TileProduct.BlockRows;
        int width = 2 * TLanes.Count, columns = Math.Min(width, problem.Columns - column);
        nint panelSize = (nint)blockSteps * width, sumSize = (nint)TileProduct.PaddedRows(rows) * width, paddedSize = (nint)blockRows * blockSteps;
        var memory = new Scratch(panelSize, sumSize, paddedSize);
        float* panel = memory.Take(panelSize), sums = memory.Take(sumSize), padded = memory.Take(paddedSize);
        for (var step = 0; step < problem.Steps; step += blockSteps)
        {
            var steps = Math.Min(blockSteps, problem.Steps - step);
            LayOut(problem, column, columns, step, steps, panel, width);
            for (var row = 0; row < rows; row += blockRows)
            {
                var left = problem.X + (firstRow + row) * problem.XStride + step;
                var stride = problem.XStride;
                if (rows - row < blockRows)
                {
                    new Span<float>(padded, blockRows * steps).Clear();
                    for (var i = 0; i < rows - row; i++)
                        new Span<float>(left + i * stride, steps).CopyTo(new Span<float>(padded + (nint)i * steps, steps));
                    left = padded;
                    stride = steps;
                }
                TileProduct.Block<TLanes>(left, stride, 1, panel, width, steps, sums + (nint)row * width, width, adds: step > 0);
            }
        }
        for (var row = 0; row < rows; row++)
        {
            float* source = sums + (nint)row * width, target = problem.Result + (nint)(firstRow + row) * problem.Columns + column;
            for (var i = 0; i < columns; i++)
                target[i] = problem.Bias == null ? source[i] : source[i] + problem.Bias[column + i];
        }
    }

    /// <summary>Rows of the weight as the columns of a right factor, [steps, width], with zeros behind the last one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void LayOut(Problem problem, int column, int columns, int step, int steps, float* panel, int width)
    {
        var source = problem.Weight + column * problem.WeightStride + step * problem.WeightStep;
        if (columns < width)
            new Span<float>(panel, steps * width).Clear();
        if (problem.WeightStride == 1)
        {
            for (var s = 0; s < steps; s++)
                new Span<float>(source + s * problem.WeightStep, columns).CopyTo(new Span<float>(panel + (nint)s * width, columns));
            return;
        }
        for (var i = 0; i < columns;)
        {
            var row = source + i * problem.WeightStride;
            var s = 0;
            var together = problem.WeightStep == 1 && i + 4 <= columns ? 4 : 1;
            for (; together == 4 && s + 4 <= steps; s += 4)
                Transposition.OfFour(row + s, problem.WeightStride, panel + (nint)s * width + i, width);
            for (; s < steps; s++)
                for (var j = 0; j < together; j++)
                    panel[(nint)s * width + i + j] = row[j * problem.WeightStride + s * problem.WeightStep];
            i += together;
        }
    }

    /// <summary>The factors and the result in memory; strides in elements.</summary>
    private readonly struct Problem(Tensor x_TI, Tensor weight_OI, Tensor? bias, Tensor result)
    {
        public readonly float* X = (float*)LibTorch.DataOf(x_TI), Weight = (float*)LibTorch.DataOf(weight_OI);
        public readonly float* Bias = bias is null ? null : (float*)LibTorch.DataOf(bias), Result = (float*)LibTorch.DataOf(result);
        public readonly nint XStride = (nint)x_TI.stride(0), WeightStride = (nint)weight_OI.stride(0), WeightStep = (nint)weight_OI.stride(1);
        public readonly int Rows = checked((int)x_TI.size(0)), Steps = checked((int)x_TI.size(1)), Columns = checked((int)weight_OI.size(0));
    }
}
