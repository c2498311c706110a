using TorchSharp;
using static TorchSharp.torch;

namespace RewardModel.Layers;

/// <summary>
/// Moves rows between a packed block, where sequences of different lengths follow each other, and a padded one, where each has a
/// slot of the same size. When all lengths are equal the two are the same memory and nothing is copied.
/// </summary>
internal sealed class PaddedRows : IDisposable
{
    private readonly long cellCount;
    private readonly Tensor? cells;

    /// <param name="lengths">Rows of each sequence, in packed order.</param>
    /// <param name="slots">The slot that each sequence takes in the padded block, ascending.</param>
    /// <param name="slotCount">Slots in the padded block.</param>
    /// <param name="slotLength">Rows of a slot, at least the longest of <paramref name="lengths"/>.</param>
    public PaddedRows(IReadOnlyList<int> lengths, IReadOnlyList<int> slots, int slotCount, int slotLength)
    {
        cellCount = (long)slotCount * slotLength;
        if (lengths.Sum() == cellCount)
            return;
        var cellOfRow = new List<long>();
        for (var s = 0; s < lengths.Count; s++)
            for (var i = 0; i < lengths[s]; i++)
                cellOfRow.Add((long)slots[s] * slotLength + i);
        cells = tensor(cellOfRow.ToArray()).DetachFromDisposeScope();
    }

    /// <summary>[rows, C] to [cells, C]; cells without a row are 0.</summary>
    public Tensor Pad(Tensor rows) =>
        cells is null ? rows : zeros([cellCount, rows.size(1)], dtype: rows.dtype, device: rows.device).index_copy_(0, cells, rows);

    /// <summary>[cells, C] to [rows, C].</summary>
    public Tensor Unpad(Tensor padded) => cells is null ? padded : padded.index_select(0, cells);

    public void Dispose() => cells?.Dispose();
}
