using RewardModel.Kernels;
using static TorchSharp.torch;

namespace RewardModel.Packing;

/// <summary>
/// Moves rows between a packed run, where sequences of different lengths follow each other, and a padded block, where each has a
/// slot of the same length. When run and block are the same memory nothing is copied.
/// </summary>
/// <remarks>
/// Both ways are written as index_copy_, whose gradient is a plain gather; the gradient of a gather adds row by row.
/// </remarks>
internal sealed class PaddedRows : IDisposable
{
    private readonly long rowCount;
    private readonly long cellCount;
    private readonly Tensor? cellOfRow;
    private readonly Tensor? rowOfCell;

    /// <param name="sequences">First row in the run and count of rows of the sequence in each slot, in the order of the slots.</param>
    /// <param name="rowCount">Rows of the run; rows of no sequence are left out of the block.</param>
    /// <param name="slotLength">Rows of a slot, at least the longest sequence's.</param>
    /// <param name="device">Where run and block lie.</param>
    public PaddedRows(IReadOnlyList<(int FirstRow, int Count)> sequences, int rowCount, int slotLength, Device device)
    {
        this.rowCount = rowCount;
        cellCount = (long)sequences.Count * slotLength;
        // One place more on either side takes what has no counterpart.
        var cells = Enumerable.Repeat(cellCount, rowCount).ToArray();
        var rows = Enumerable.Repeat((long)rowCount, checked((int)cellCount)).ToArray();
        for (var slot = 0; slot < sequences.Count; slot++)
            for (var i = 0; i < sequences[slot].Count; i++)
            {
                var (row, cell) = (sequences[slot].FirstRow + i, slot * slotLength + i);
                cells[row] = cell;
                rows[cell] = row;
            }
        if (rowCount == cellCount && cells.Select((cell, row) => cell == row).All(same => same))
            return;
        cellOfRow = DeviceTensor.Of(cells, device).DetachFromDisposeScope();
        rowOfCell = DeviceTensor.Of(rows, device).DetachFromDisposeScope();
    }

    /// <summary>[rows, C] to [cells, C]; cells without a row are 0.</summary>
    public Tensor Pad(Tensor rows) => Move(rows, cellOfRow, cellCount);

    /// <summary>[cells, C] to [rows, C].</summary>
    public Tensor Unpad(Tensor cells) => Move(cells, rowOfCell, rowCount);

    public void Dispose()
    {
        cellOfRow?.Dispose();
        rowOfCell?.Dispose();
    }

    private static Tensor Move(Tensor source, Tensor? targets, long targetCount) => targets is null
        ? source
        : zeros([targetCount + 1, source.size(1)], dtype: source.dtype, device: source.device)
            .index_copy_(0, targets, source).narrow(0, 0, targetCount);
}
