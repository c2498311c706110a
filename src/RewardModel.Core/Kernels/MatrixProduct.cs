using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace RewardModel.Kernels;

/// <summary>A matrix in memory: element (i, j) at Data[i * RowStride + j * ColumnStride].</summary>
internal readonly unsafe struct Matrix(float* data, int rows, int columns, nint rowStride, nint columnStride)
{
    public float* Data { get; } = data;

    public int Rows { get; } = rows;

    public int Columns { get; } = columns;

    public nint RowStride { get; } = rowStride;

    public nint ColumnStride { get; } = columnStride;

    public float* At(int row, int column) => Data + row * RowStride + column * ColumnStride;
}

/// <summary>
/// A product of large matrices, for processors on which libtorch's does less than they could: its MKL does not use what AMD's processors have
/// beyond AVX2. Blocked as Goto and van de Geijn do it (ACM Trans. Math. Softw. 34, 2008): a panel of the right factor stays in the first
/// cache, a block of the left one in the second.
/// </summary>
internal static unsafe class MatrixProduct
{
    /// <summary>Inner steps of a block, rows of a block of the left factor, and columns of the result that a task has.</summary>
    private const int stepsOfBlock = 256, rowsOfBlock = 16 * TileProduct.BlockRows, columnsOfTask = 1024;

    /// <summary>Whether it is faster than libtorch's on this processor.</summary>
    public static bool IsFaster { get; } = LaneWidth.Bits == 512 && IsMadeByAmd();

    /// <summary>left right, or that and a bias for each column.</summary>
    /// <param name="left">[M, K].</param>
    /// <param name="right">[K, N].</param>
    /// <param name="bias">[N], or null.</param>
    /// <param name="result">[M, N], columns side by side.</param>
    public static void Multiply(Matrix left, Matrix right, float* bias, Matrix result)
    {
        switch (LaneWidth.Bits)
        {
            case 512:
                Multiply<Lanes512>(left, right, bias, result);
                break;
            case 256:
                Multiply<Lanes256>(left, right, bias, result);
                break;
            default:
                Multiply<Lanes128>(left, right, bias, result);
                break;
        }
    }

    private static void Multiply<TLanes>(Matrix left, Matrix right, float* bias, Matrix result) where TLanes : struct, ILanes<TLanes>
    {
        var panelWidth = 2 * TLanes.Count;
        var panelCount = (right.Columns + panelWidth - 1) / panelWidth;
        using var panels = TensorMemory.Empty(panelCount, right.Rows, panelWidth);
        var panelData = (float*)LibTorch.DataOf(panels);
        TorchThreads.Run(panelCount, panel => PackPanel(right, panel * panelWidth, panelWidth, panelData + (nint)panel * right.Rows * panelWidth));

        var (rowBlocks, panelsOfTask) = ((left.Rows + rowsOfBlock - 1) / rowsOfBlock, columnsOfTask / panelWidth);
        var columnBlocks = (panelCount + panelsOfTask - 1) / panelsOfTask;
        TorchThreads.Run(rowBlocks * columnBlocks, task =>
        {
            var (firstRow, firstPanel) = (task % rowBlocks * rowsOfBlock, task / rowBlocks * panelsOfTask);
            MultiplyBlock<TLanes>(
                left, panelData, right.Rows, bias, result, firstRow, Math.Min(rowsOfBlock, left.Rows - firstRow), firstPanel,
                Math.Min(panelsOfTask, panelCount - firstPanel));
        });
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyBlock<TLanes>(
        Matrix left, float* panels, int steps, float* bias, Matrix result, int firstRow, int rows, int firstPanel, int panelCount)
        where TLanes : struct, ILanes<TLanes>
    {
        const int blockRows = TileProduct.BlockRows;
        var panelWidth = 2 * TLanes.Count;
        var scratch = new Scratch(rowsOfBlock * stepsOfBlock, blockRows * panelWidth);
        float* packed = scratch.Take(rowsOfBlock * stepsOfBlock), edge = scratch.Take(blockRows * panelWidth);
        for (var step = 0; step < steps; step += stepsOfBlock)
        {
            var count = Math.Min(stepsOfBlock, steps - step);
            PackRows(left, firstRow, rows, step, count, packed);
            for (var panel = firstPanel; panel < firstPanel + panelCount; panel++)
            {
                var column = panel * panelWidth;
                var columns = Math.Min(panelWidth, result.Columns - column);
                var factor = panels + ((nint)panel * steps + step) * panelWidth;
                for (var row = 0; row < rows; row += blockRows)
                {
                    var target = result.At(firstRow + row, column);
                    var ofBlock = Math.Min(blockRows, rows - row);
                    var isWhole = ofBlock == blockRows && columns == panelWidth;
                    if (step == 0 && bias != null)
                        Fill(target, result.RowStride, ofBlock, columns, bias + column);
                    var adds = step > 0 || bias != null;
                    TileProduct.Block<TLanes>(
                        packed + (nint)row * count, 1, blockRows, factor, panelWidth, count, isWhole ? target : edge,
                        isWhole ? result.RowStride : panelWidth, isWhole && adds);
                    if (!isWhole)
                        CopyEdge(edge, panelWidth, target, result.RowStride, ofBlock, columns, adds);
                }
            }
        }
    }

    private static void Fill(float* target, nint rowStride, int rows, int columns, float* values)
    {
        for (var row = 0; row < rows; row++)
            new ReadOnlySpan<float>(values, columns).CopyTo(new Span<float>(target + row * rowStride, columns));
    }

    private static void CopyEdge(float* source, int sourceStride, float* target, nint rowStride, int rows, int columns, bool adds)
    {
        for (var row = 0; row < rows; row++)
            for (var column = 0; column < columns; column++)
                target[row * rowStride + column] = source[row * sourceStride + column] + (adds ? target[row * rowStride + column] : 0);
    }

    /// <summary>Rows of a left factor, six at a time and step by step: [rows / 6, steps, 6], with zeros behind the last.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void PackRows(Matrix left, int firstRow, int rows, int firstStep, int steps, float* target)
    {
        const int blockRows = TileProduct.BlockRows;
        for (var row = 0; row < rows; row += blockRows, target += blockRows * steps)
        {
            var source = left.At(firstRow + row, firstStep);
            var count = Math.Min(blockRows, rows - row);
            for (var i = 0; i < blockRows; i++)
            {
                var from = source + i * left.RowStride;
                for (var step = 0; step < steps; step++)
                    target[step * blockRows + i] = i < count ? from[step * left.ColumnStride] : 0;
            }
        }
    }

    /// <summary>Columns of a right factor, side by side for each row: [rows, width], with zeros behind the last column.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void PackPanel(Matrix right, int firstColumn, int width, float* target)
    {
        var columns = Math.Min(width, right.Columns - firstColumn);
        if (right.ColumnStride == 1)
        {
            for (var row = 0; row < right.Rows; row++, target += width)
            {
                new ReadOnlySpan<float>(right.At(row, firstColumn), columns).CopyTo(new Span<float>(target, columns));
                new Span<float>(target + columns, width - columns).Clear();
            }
            return;
        }
        var quads = right.RowStride == 1 ? columns / 4 * 4 : 0;
        var wholeRows = quads == 0 ? 0 : right.Rows / 4 * 4;
        for (var row = 0; row < wholeRows; row += 4)
            for (var column = 0; column < quads; column += 4)
                Transpose(right.At(row, firstColumn + column), right.ColumnStride, target + (nint)row * width + column, width);
        for (var row = 0; row < right.Rows; row++)
            for (var column = row < wholeRows ? quads : 0; column < width; column++)
                target[(nint)row * width + column] = column < columns ? *right.At(row, firstColumn + column) : 0;
    }

    /// <summary>Four runs of four numbers become four rows of the target: target[i, j] = source[j, i].</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Transpose(float* source, nint sourceStride, float* target, nint targetStride)
    {
        var (a, b) = (Vector128.Load(source), Vector128.Load(source + sourceStride));
        var (c, d) = (Vector128.Load(source + 2 * sourceStride), Vector128.Load(source + 3 * sourceStride));
        Vector128<float> ab, cd, ab2, cd2;
        if (Sse.IsSupported)
        {
            (ab, cd, ab2, cd2) = (Sse.UnpackLow(a, b), Sse.UnpackLow(c, d), Sse.UnpackHigh(a, b), Sse.UnpackHigh(c, d));
        }
        else if (AdvSimd.Arm64.IsSupported)
        {
            (ab, cd) = (AdvSimd.Arm64.ZipLow(a, b), AdvSimd.Arm64.ZipLow(c, d));
            (ab2, cd2) = (AdvSimd.Arm64.ZipHigh(a, b), AdvSimd.Arm64.ZipHigh(c, d));
        }
        else
        {
            (ab, cd) = (Vector128.Create(a[0], b[0], a[1], b[1]), Vector128.Create(c[0], d[0], c[1], d[1]));
            (ab2, cd2) = (Vector128.Create(a[2], b[2], a[3], b[3]), Vector128.Create(c[2], d[2], c[3], d[3]));
        }
        Vector128.Create(ab.GetLower(), cd.GetLower()).Store(target);
        Vector128.Create(ab.GetUpper(), cd.GetUpper()).Store(target + targetStride);
        Vector128.Create(ab2.GetLower(), cd2.GetLower()).Store(target + 2 * targetStride);
        Vector128.Create(ab2.GetUpper(), cd2.GetUpper()).Store(target + 3 * targetStride);
    }

    // The vendor of CPUID's leaf 0, "AuthenticAMD" (AMD, "AMD64 Architecture Programmer's Manual", volume 3, appendix E).
    private static bool IsMadeByAmd() => X86Base.IsSupported && X86Base.CpuId(0, 0) is (_, 0x68747541, 0x444d4163, 0x69746e65);
}
