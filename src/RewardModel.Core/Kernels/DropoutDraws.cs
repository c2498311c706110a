using static TorchSharp.torch;

namespace RewardModel.Kernels;

/// <summary>What the rows of a forward pass draw dropout by: keys of <see cref="DropoutHash"/>.</summary>
/// <param name="All">Of each token of the packed row.</param>
/// <param name="Scored">Of the tokens that are scored, in their order: theirs of <paramref name="All"/>.</param>
/// <param name="Table">Of what is no list's, but all lists read.</param>
internal sealed record DropoutKeys(ulong[] All, ulong[] Scored, ulong Table);

/// <summary>
/// What dropout draws by on this thread, from here until it is disposed of: the keys of a pass, the layer, and a number for each site that
/// drops something, in the order in which the layer comes to them. So a layer that is computed again draws the same, and no generator is
/// asked. It stands beside the layers, and not in their arguments, because an adapter's dropout is drawn within any linear layer.
/// </summary>
internal sealed class DropoutDraws : IDisposable
{
    [ThreadStatic]
    private static DropoutDraws? current;

    private readonly Lazy<DropoutKeys> keys;
    private readonly ulong layer;
    private readonly DropoutDraws? outer;
    private ulong siteCount;
    private bool isOfTable;
    private (long[] Rows, long RowCount, ulong Part)? picked;

    /// <param name="keys">Of the pass; not asked for before something is dropped.</param>
    /// <param name="layer">The layer's number, from 1; 0 for what comes before and behind the layers.</param>
    public DropoutDraws(Lazy<DropoutKeys> keys, int layer)
    {
        (this.keys, this.layer, outer) = (keys, (ulong)layer, current);
        current = this;
    }

    /// <summary>A seed of torch's default generator, for passes that have none.</summary>
    public static ulong RandomSeed()
    {
        using var drawn = randint(long.MaxValue, [1], dtype: ScalarType.Int64);
        return (ulong)drawn.item<long>();
    }

    /// <summary>Computes with the rows of a table that all lists read: they draw by their numbers, alike in all passes of a seed.</summary>
    public static TResult OfTable<TResult>(Func<TResult> compute)
    {
        if (current is not { } draws)
            return compute();
        draws.isOfTable = true;
        try
        {
            return compute();
        }
        finally
        {
            draws.isOfTable = false;
        }
    }

    /// <summary>
    /// Computes with some of the rows, each by its own key whatever the others are, in one of several modules that rows are divided among: what
    /// comes next draws as if none of them had drawn.
    /// </summary>
    /// <param name="rows">Their numbers.</param>
    /// <param name="rowCount">Of how many: of the packed row, or of those that are scored.</param>
    /// <param name="part">The module's number.</param>
    /// <param name="compute">Asks for keys of as many rows as there are numbers.</param>
    public static TResult OfRows<TResult>(long[] rows, long rowCount, int part, Func<TResult> compute)
    {
        if (current is not { } draws)
            return compute();
        var siteCount = draws.siteCount;
        draws.picked = (rows, rowCount, (ulong)part);
        try
        {
            return compute();
        }
        finally
        {
            (draws.picked, draws.siteCount) = (null, siteCount);
        }
    }

    /// <summary>The keys of rows at the next site. A module that is called outside a pass draws by a seed of its own.</summary>
    /// <param name="rowCount">
    /// As many as the packed row has, or as are scored. Where both counts are the same, every token is a sequence and scored, in the same
    /// order.
    /// </param>
    /// <exception cref="InvalidOperationException">There are neither as many.</exception>
    public static ulong[] NextKeys(long rowCount)
    {
        if (current is not { } draws)
            return OfNumbers(DropoutHash.Mix(RandomSeed()), rowCount);
        var site = (draws.layer << 32) + draws.siteCount++;
        if (draws.picked is { } picked)
        {
            if (rowCount != picked.Rows.Length)
                throw new InvalidOperationException($"Dropout is asked for {rowCount} rows; expected the {picked.Rows.Length} that were picked.");
            var keys = draws.KeysOf(picked.RowCount);
            return Array.ConvertAll(picked.Rows, row => DropoutHash.Part(DropoutHash.Part(keys[row], site), picked.Part));
        }
        return Array.ConvertAll(draws.KeysOf(rowCount), row => DropoutHash.Part(row, site));
    }

    private ulong[] KeysOf(long rowCount)
    {
        var (all, scored, table) = keys.Value;
        return isOfTable ? OfNumbers(table, rowCount)
            : rowCount == all.Length ? all
            : rowCount == scored.Length ? scored
            : throw new InvalidOperationException(
                $"Dropout is asked for {rowCount} rows; expected the {all.Length} of the packed row or the {scored.Length} that are "
                + "scored.");
    }

    public void Dispose() => current = outer;

    private static ulong[] OfNumbers(ulong key, long count)
    {
        var keys = new ulong[count];
        for (var i = 0; i < keys.Length; i++)
            keys[i] = DropoutHash.Part(key, (ulong)i);
        return keys;
    }
}
