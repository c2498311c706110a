using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace RewardModel.Kernels;

/// <summary>
/// A thread's memory for one head of keys of one family of segments: the keys and values of a sequence, which begins with the prompt's and
/// goes on with an answer's, those of each answer in the place of those before; and the scores of a tile of queries. Left factors and results
/// have their rows padded to whole blocks, channels to two vectors, so that <see cref="TileProduct"/> computes all of it.
/// </summary>
/// <remarks>X positions of the longest sequence, H channels of a head.</remarks>
internal readonly unsafe struct AttentionMemory<TLanes> where TLanes : struct, ILanes<TLanes>
{
    /// <summary>Scores of a tile: two tiles take a fifth of a second-level cache of a mebibyte.</summary>
    private const int tileElements = 24 * 1024;
    private const int leastTileRows = 2 * TileProduct.BlockRows, mostTileRows = 8 * TileProduct.BlockRows;

    private readonly AttentionProblem problem;
    private readonly int size, padded, columns;
    private readonly float* factors, slopes, inverseSums;

    public AttentionMemory(AttentionProblem problem, AttentionShape shape, bool isBackward)
    {
        this.problem = problem;
        size = shape.HeadSize;
        padded = Padded(size);
        var length = problem.LongestSequence;
        // A block of keys may begin at the last one.
        columns = Padded(length) + PanelWidth;
        TileRows = Math.Clamp(tileElements / columns / TileProduct.BlockRows * TileProduct.BlockRows, leastTileRows, mostTileRows);
        nint panels = (nint)columns * size, keys = (nint)TileProduct.PaddedRows(length + TileProduct.BlockRows) * padded;
        nint rows = (nint)TileRows * padded, scores = (nint)TileRows * columns;
        if (!isBackward)
        {
            var forward = new Scratch(panels, keys, rows, rows, scores, columns, TileRows);
            KeyPanels = forward.Take(panels);
            Values = forward.Take(keys);
            Queries = forward.Take(rows);
            Results = forward.Take(rows);
            Weights = forward.Take(scores);
            factors = forward.Take(columns);
            inverseSums = forward.Take(TileRows);
            return;
        }
        var backward = new Scratch(panels, panels, keys, keys, keys, rows, rows, rows, scores, scores, columns, columns);
        KeyPanels = backward.Take(panels);
        ValuePanels = backward.Take(panels);
        Keys = backward.Take(keys);
        KeyGradients = backward.Take(keys);
        ValueGradients = backward.Take(keys);
        Queries = backward.Take(rows);
        Gradients = backward.Take(rows);
        Results = backward.Take(rows);
        Weights = backward.Take(scores);
        WeightGradients = backward.Take(scores);
        factors = backward.Take(columns);
        slopes = backward.Take(columns);
    }

    /// <summary>Columns of a result that are computed at once.</summary>
    private static int PanelWidth => 2 * TLanes.Count;

    /// <summary>Queries of a tile at most.</summary>
    public int TileRows { get; }

    /// <summary>Keys as the columns of a right factor, [X / panel width, H, panel width].</summary>
    public float* KeyPanels { get; }

    /// <summary>Values likewise; backward only.</summary>
    public float* ValuePanels { get; }

    /// <summary>[X, H]; backward only.</summary>
    public float* Keys { get; }

    /// <summary>[X, H]; forward only.</summary>
    public float* Values { get; }

    /// <summary>[X, H]; backward only.</summary>
    public float* KeyGradients { get; }

    /// <summary>[X, H]; backward only.</summary>
    public float* ValueGradients { get; }

    /// <summary>Of a tile, scaled: [rows, H].</summary>
    public float* Queries { get; }

    /// <summary>Of a tile's results: [rows, H]; backward only.</summary>
    public float* Gradients { get; }

    /// <summary>Of a tile: [rows, H].</summary>
    public float* Results { get; }

    /// <summary>A tile's scores, and then its weights: [rows, X] from <see cref="FirstColumn"/> on.</summary>
    public float* Weights { get; }

    /// <summary>Gradients of the weights, and then of the scores, likewise; backward only.</summary>
    public float* WeightGradients { get; }

    /// <summary>Lays a segment's keys and values behind those of its parent.</summary>
    public void Append(AttentionSegment segment, HeadRows k, HeadRows v, int keyHead)
    {
        var (first, isBackward) = (problem.FirstPositionOf(segment), ValuePanels != null);
        ToPanels(k, segment.Start, keyHead, segment.Length, KeyPanels, first);
        ToRows(isBackward ? k : v, segment.Start, keyHead, segment.Length, isBackward ? Keys : Values, first);
        if (!isBackward)
            return;
        ToPanels(v, segment.Start, keyHead, segment.Length, ValuePanels, first);
        var bytes = (nuint)((nint)segment.Length * padded * sizeof(float));
        NativeMemory.Clear(KeyGradients + (nint)first * padded, bytes);
        NativeMemory.Clear(ValueGradients + (nint)first * padded, bytes);
    }

    /// <summary>Copies a tile's rows, times a factor, with zeros where they are padded.</summary>
    public void LoadRows(AttentionTile tile, HeadRows source, int head, float* target, float factor)
    {
        for (var row = 0; row < tile.Rows; row++)
            CopyRow(source.Of(tile.Query + row, head), target + (nint)row * padded, factor);
        var paddedRows = TileProduct.PaddedRows(tile.Rows) - tile.Rows;
        new Span<float>(target + (nint)tile.Rows * padded, paddedRows * padded).Clear();
    }

    /// <summary>Products of a tile's rows [rows, H] with all keys that they see.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Scores(AttentionTile tile, float* rows, float* panels, float* result)
    {
        var firstColumn = FirstColumn(tile);
        for (var column = firstColumn; column < tile.EndKey; column += PanelWidth)
            for (var row = 0; row < tile.Rows; row += TileProduct.BlockRows)
                if (column + PanelWidth > tile.FirstOf(row) && column < tile.EndOfBlock(row))
                    TileProduct.Block<TLanes>(
                        rows + (nint)row * padded, padded, 1, panels + (nint)column * size, PanelWidth, size,
                        result + (nint)row * columns + column - firstColumn, columns, adds: false);
    }

    /// <summary>Results of a tile: for each row the sum over its keys of weight and [X, H].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void SumOverKeys(AttentionTile tile, float* weights, float* keys)
    {
        var firstColumn = FirstColumn(tile);
        for (var row = 0; row < tile.Rows; row += TileProduct.BlockRows)
        {
            var (first, end) = (tile.FirstOf(row), tile.EndOfBlock(row));
            for (var channel = 0; channel < padded; channel += PanelWidth)
                TileProduct.Block<TLanes>(
                    weights + (nint)row * columns + first - firstColumn, columns, 1, keys + (nint)first * padded + channel, padded,
                    end - first, Results + (nint)row * padded + channel, padded, adds: false);
        }
    }

    /// <summary>Adds to [X, H] for each key the sum over the tile's rows of weight and [rows, H].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void AddOverQueries(AttentionTile tile, float* weights, float* rows, float* result)
    {
        var firstColumn = FirstColumn(tile);
        for (var key = tile.FirstKey; key < tile.EndKey; key += TileProduct.BlockRows)
        {
            var (first, end) = tile.RowsThatSee(key, Math.Min(key + TileProduct.BlockRows, tile.EndKey));
            for (var channel = 0; channel < padded && first < end; channel += PanelWidth)
                TileProduct.Block<TLanes>(
                    weights + (nint)first * columns + key - firstColumn, 1, columns, rows + (nint)first * padded + channel, padded,
                    end - first, result + (nint)key * padded + channel, padded, adds: true);
        }
    }

    /// <summary>Replaces a tile's scores by its weights, as they are before the division by their sum: results get that.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Softmax(AttentionTile tile, AttentionRule rule, ScoreTerms terms, int head, HeadRows logSums)
    {
        var firstColumn = FirstColumn(tile);
        for (var row = 0; row < tile.Rows; row++)
        {
            var scores = Weights + (nint)row * columns + tile.FirstOf(row) - firstColumn;
            var count = tile.EndOf(row) - tile.FirstOf(row);
            if (rule.Cap > 0)
                ScoreRows<TLanes>.Cap(scores, count, rule.Cap, null);
            if (terms.BiasOf(head, tile.FirstOf(row)) is var bias && bias != null)
                ScoreRows<TLanes>.Add(scores, bias, count);
            var largest = ScoreRows<TLanes>.Largest(scores, count);
            if (terms.SinkOf(head) is { } sink)
                largest = MathF.Max(largest, sink);
            var sum = ScoreRows<TLanes>.Exponentials(scores, count, largest);
            if (terms.SinkOf(head) is { } added)
                sum += MathF.Exp(added - largest);
            *logSums.Of(tile.Query + row, head) = largest + MathF.Log(sum);
            inverseSums[row] = 1 / sum;
            ClearUnseen(tile, row, Weights);
            if (rule.Dropout is { } dropout)
                ScoreRows<TLanes>.Multiply(scores, DropoutFactors(tile, dropout, head, row, count), count);
        }
    }

    /// <summary>
    /// Replaces a tile's scores by its weights, as dropout leaves them, and the weights' gradients by those of the scaled products. Reads the
    /// results and their gradients.
    /// </summary>
    /// <returns>The gradient of the head's sink; 0 where there is none.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public double SoftmaxBackward(AttentionTile tile, AttentionRule rule, ScoreTerms terms, int head, HeadRows logSums)
    {
        var (firstColumn, sinkGradient) = (FirstColumn(tile), 0.0);
        for (var row = 0; row < tile.Rows; row++)
        {
            var place = (nint)row * columns + tile.FirstOf(row) - firstColumn;
            float* weights = Weights + place, gradients = WeightGradients + place;
            var count = tile.EndOf(row) - tile.FirstOf(row);
            if (rule.Cap > 0)
                ScoreRows<TLanes>.Cap(weights, count, rule.Cap, slopes);
            if (terms.BiasOf(head, tile.FirstOf(row)) is var bias && bias != null)
                ScoreRows<TLanes>.Add(weights, bias, count);
            var kept = rule.Dropout is { } dropout ? DropoutFactors(tile, dropout, head, row, count) : null;
            if (kept != null)
                ScoreRows<TLanes>.Multiply(gradients, kept, count);
            var dot = ScoreRows<TLanes>.Dot(Gradients + (nint)row * padded, Results + (nint)row * padded, padded);
            var logSum = *logSums.Of(tile.Query + row, head);
            ScoreRows<TLanes>.WeightsAndGradients(weights, gradients, count, logSum, dot);
            // As that of any score, with a value of 0.
            if (terms.SinkOf(head) is { } sink)
                sinkGradient -= MathF.Exp(sink - logSum) * dot;
            if (rule.Cap > 0)
                ScoreRows<TLanes>.Multiply(gradients, slopes, count);
            if (kept != null)
                ScoreRows<TLanes>.Multiply(weights, kept, count);
            ClearUnseen(tile, row, Weights);
            ClearUnseen(tile, row, WeightGradients);
        }
        return sinkGradient;
    }

    /// <summary>Writes a tile's results, of weights that <see cref="Softmax"/> left.</summary>
    public void StoreResults(AttentionTile tile, HeadRows target, int head)
    {
        for (var row = 0; row < tile.Rows; row++)
            StoreRow(Results + (nint)row * padded, target.Of(tile.Query + row, head), inverseSums[row]);
    }

    /// <summary>Writes the gradients of a tile's queries.</summary>
    public void StoreQueryGradients(AttentionTile tile, HeadRows dq, int head, float scale)
    {
        for (var row = 0; row < tile.Rows; row++)
            StoreRow(Results + (nint)row * padded, dq.Of(tile.Query + row, head), scale);
    }

    /// <summary>Writes the sums for the keys and values of a segment.</summary>
    public void StoreKeyGradients(AttentionSegment segment, HeadRows dk, HeadRows dv, int keyHead)
    {
        var first = problem.FirstPositionOf(segment);
        for (var i = 0; i < segment.Length; i++)
        {
            // The queries that they were summed over were scaled already.
            StoreRow(KeyGradients + (nint)(first + i) * padded, dk.Of(segment.Start + i, keyHead), 1);
            StoreRow(ValueGradients + (nint)(first + i) * padded, dv.Of(segment.Start + i, keyHead), 1);
        }
    }

    private static int Padded(int count) => (count + PanelWidth - 1) / PanelWidth * PanelWidth;

    /// <summary>The position that a tile's first column stands for: its first key, or where that one's panel begins.</summary>
    private static int FirstColumn(AttentionTile tile) => tile.FirstKey / PanelWidth * PanelWidth;

    /// <summary>
    /// Sets to 0 what a row has beside the keys that it sees, as far as blocks of six rows or of six keys reach.
    /// </summary>
    private void ClearUnseen(AttentionTile tile, int row, float* weights)
    {
        var (first, end, block) = (tile.FirstOf(row), tile.EndOf(row), row - row % TileProduct.BlockRows);
        var from = Math.Max(tile.FirstKey, Math.Min(tile.FirstOf(block), first - TileProduct.BlockRows));
        var to = Math.Max(tile.EndOfBlock(block), end + TileProduct.BlockRows);
        var start = weights + (nint)row * columns - FirstColumn(tile);
        new Span<float>(start + from, first - from).Clear();
        new Span<float>(start + end, to - end).Clear();
    }

    private void ToRows(HeadRows source, int firstRow, int head, int count, float* target, int position)
    {
        for (var i = 0; i < count; i++)
            CopyRow(source.Of(firstRow + i, head), target + (nint)(position + i) * padded, 1);
    }

    /// <summary>Rows become columns of panels, four rows and channels at a time where they lie in one panel.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void ToPanels(HeadRows source, int firstRow, int head, int count, float* panels, int position)
    {
        for (var i = 0; i < count;)
        {
            var at = position + i;
            var row = source.Of(firstRow + i, head);
            var target = panels + (nint)(at / PanelWidth) * PanelWidth * size + at % PanelWidth;
            var (channel, isQuad) = (0, i + 4 <= count && at % PanelWidth + 4 <= PanelWidth);
            for (; isQuad && channel + 4 <= size; channel += 4)
                Transposition.OfFour(row + channel, source.RowStride, target + (nint)channel * PanelWidth, PanelWidth);
            var rows = isQuad ? 4 : 1;
            for (; channel < size; channel++)
                for (var j = 0; j < rows; j++)
                    target[(nint)channel * PanelWidth + j] = row[j * source.RowStride + channel];
            i += rows;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void CopyRow(float* source, float* target, float factor)
    {
        var channel = 0;
        for (; channel <= size - TLanes.Count; channel += TLanes.Count)
            (TLanes.Load(source + channel) * TLanes.Of(factor)).Store(target + channel);
        for (; channel < size; channel++)
            target[channel] = source[channel] * factor;
        for (; channel < padded; channel++)
            target[channel] = 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void StoreRow(float* source, float* target, float factor)
    {
        var channel = 0;
        for (; channel <= size - TLanes.Count; channel += TLanes.Count)
            (TLanes.Load(source + channel) * TLanes.Of(factor)).Store(target + channel);
        for (; channel < size; channel++)
            target[channel] = source[channel] * factor;
    }

    /// <summary>The factor of each of a row's weights.</summary>
    private float* DropoutFactors(AttentionTile tile, AttentionDropout dropout, int head, int row, int count)
    {
        DropoutHash.Factors<TLanes>(dropout.KeyOf(tile.Query + row, head), (uint)tile.FirstOf(row), count, dropout.Rate, factors);
        return factors;
    }
}
