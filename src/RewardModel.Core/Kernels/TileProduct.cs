using System.Runtime.CompilerServices;

namespace RewardModel.Kernels;

/// <summary>
/// Products of small matrices in a core's cache. A block of six rows and two vectors of columns stays in registers while the inner
/// dimension goes by: twelve sums, which is what sixteen registers hold and enough to keep two multiply-add units busy.
/// </summary>
internal static unsafe class TileProduct
{
    /// <summary>Rows are computed six at a time: memory for results and left factors goes on to a multiple.</summary>
    public const int BlockRows = 6;

    /// <summary>The next multiple of <see cref="BlockRows"/>.</summary>
    public static int PaddedRows(int rows) => (rows + BlockRows - 1) / BlockRows * BlockRows;

    /// <summary>
    /// C[i, j] = sum over s of A[i, s] B[s, j] for six rows i and two vectors of columns j, or one more than is there already.
    /// </summary>
    /// <param name="a">A[0, 0].</param>
    /// <param name="aRow">Elements from one row of A to the next.</param>
    /// <param name="aStep">Elements from one column of A to the next.</param>
    /// <param name="b">B[0, 0], its columns side by side.</param>
    /// <param name="bStep">Elements from one row of B to the next.</param>
    /// <param name="steps">The inner dimension.</param>
    /// <param name="c">C[0, 0], its columns side by side.</param>
    /// <param name="cRow">Elements from one row of C to the next.</param>
    /// <param name="adds">Whether the products are added to C.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Block<TLanes>(
        float* a, nint aRow, nint aStep, float* b, nint bStep, int steps, float* c, nint cRow, bool adds)
        where TLanes : struct, ILanes<TLanes>
    {
        var width = TLanes.Count;
        TLanes c00 = default, c01 = default, c10 = default, c11 = default, c20 = default, c21 = default;
        TLanes c30 = default, c31 = default, c40 = default, c41 = default, c50 = default, c51 = default;
        if (adds)
        {
            var row = c;
            (c00, c01) = (TLanes.Load(row), TLanes.Load(row + width));
            row += cRow;
            (c10, c11) = (TLanes.Load(row), TLanes.Load(row + width));
            row += cRow;
            (c20, c21) = (TLanes.Load(row), TLanes.Load(row + width));
            row += cRow;
            (c30, c31) = (TLanes.Load(row), TLanes.Load(row + width));
            row += cRow;
            (c40, c41) = (TLanes.Load(row), TLanes.Load(row + width));
            row += cRow;
            (c50, c51) = (TLanes.Load(row), TLanes.Load(row + width));
        }
        float* a0 = a, a1 = a + aRow, a2 = a + 2 * aRow, a3 = a + 3 * aRow, a4 = a + 4 * aRow, a5 = a + 5 * aRow;
        nint at = 0;
        for (var step = 0; step < steps; step++)
        {
            var b0 = TLanes.Load(b);
            var b1 = TLanes.Load(b + width);
            b += bStep;
            var left = TLanes.Of(a0[at]);
            c00 = TLanes.MultiplyAdd(left, b0, c00);
            c01 = TLanes.MultiplyAdd(left, b1, c01);
            left = TLanes.Of(a1[at]);
            c10 = TLanes.MultiplyAdd(left, b0, c10);
            c11 = TLanes.MultiplyAdd(left, b1, c11);
            left = TLanes.Of(a2[at]);
            c20 = TLanes.MultiplyAdd(left, b0, c20);
            c21 = TLanes.MultiplyAdd(left, b1, c21);
            left = TLanes.Of(a3[at]);
            c30 = TLanes.MultiplyAdd(left, b0, c30);
            c31 = TLanes.MultiplyAdd(left, b1, c31);
            left = TLanes.Of(a4[at]);
            c40 = TLanes.MultiplyAdd(left, b0, c40);
            c41 = TLanes.MultiplyAdd(left, b1, c41);
            left = TLanes.Of(a5[at]);
            c50 = TLanes.MultiplyAdd(left, b0, c50);
            c51 = TLanes.MultiplyAdd(left, b1, c51);
            at += aStep;
        }
        c00.Store(c);
        c01.Store(c + width);
        c += cRow;
        c10.Store(c);
        c11.Store(c + width);
        c += cRow;
        c20.Store(c);
        c21.Store(c + width);
        c += cRow;
        c30.Store(c);
        c31.Store(c + width);
        c += cRow;
        c40.Store(c);
        c41.Store(c + width);
        c += cRow;
        c50.Store(c);
        c51.Store(c + width);
    }
}
