namespace RewardModel.Kernels;

/// <summary>A segment of a packed row, as attention computes it.</summary>
/// <param name="Start">First row of its keys.</param>
/// <param name="Length">Count of its keys, at least 1.</param>
/// <param name="Parent">Index of the segment without a parent that it continues, or -1.</param>
/// <param name="QueryStart">First row of its queries.</param>
/// <param name="QueryCount">Count of its queries, which are those of its last positions.</param>
internal readonly record struct AttentionSegment(int Start, int Length, int Parent, int QueryStart, int QueryCount);

/// <summary>Where the queries, keys and values of a packed row lie.</summary>
internal sealed class AttentionProblem
{
    private readonly int queryCount;

    /// <param name="segments">Those without a parent before those that continue them.</param>
    public AttentionProblem(AttentionSegment[] segments)
    {
        Segments = segments;
        Families =
        [
            .. Enumerable.Range(0, segments.Length).GroupBy(
                index => segments[index].Parent < 0 ? index : segments[index].Parent, (_, family) => family.ToArray()),
        ];
        LongestSequence = segments.Max(LengthOf);
        queryCount = segments.Sum(segment => segment.QueryCount);
    }

    public AttentionSegment[] Segments { get; }

    /// <summary>Indices of a segment without a parent, and then of those that continue it.</summary>
    public int[][] Families { get; }

    /// <summary>The most keys that there are for a query.</summary>
    public int LongestSequence { get; }

    /// <summary>Whether every one of that many rows of queries belongs to a segment.</summary>
    public bool CoversQueries(long rows) => rows == queryCount;

    /// <summary>Keys of a segment and its parent.</summary>
    public int LengthOf(AttentionSegment segment) => FirstPositionOf(segment) + segment.Length;

    /// <summary>Position of a segment's first token: its parent's length.</summary>
    public int FirstPositionOf(AttentionSegment segment) => segment.Parent < 0 ? 0 : Segments[segment.Parent].Length;
}

/// <summary>What architectures do differently, in the types that the kernel computes with.</summary>
/// <param name="Scale">Factor on the products of queries and keys.</param>
/// <param name="Before">How many positions before its own a query sees.</param>
/// <param name="After">How many behind it.</param>
/// <param name="Cap">c in c tanh(score / c); 0 for scores as they are.</param>
/// <param name="Dropout">Of the weights; null for none.</param>
internal readonly record struct AttentionRule(float Scale, int Before, int After, float Cap, AttentionDropout? Dropout = null);

/// <summary>What scores have besides products of queries and keys: borrowed from tensors.</summary>
/// <param name="sinks">Of each head a score that has no value, [N]; null for none.</param>
/// <param name="bias">What is added by head and position of the key, [N, positions]; null for nothing.</param>
/// <param name="positions">How many positions the bias has.</param>
internal readonly unsafe struct ScoreTerms(float* sinks, float* bias, nint positions)
{
    public float? SinkOf(int head) => sinks == null ? null : sinks[head];

    /// <summary>Of the keys from a position on, or null.</summary>
    public float* BiasOf(int head, int position) => bias == null ? null : bias + head * positions + position;
}

/// <summary>
/// Dropout of attention's weights: by the query's key, the head, and the position of the weight's key in the sequence. That sequence is the
/// query's own, which its key is made of, so it needs none of the key's row.
/// </summary>
/// <param name="Rate">Probability with which a weight becomes 0, the others growing by 1 / (1 - rate).</param>
/// <param name="Keys">Of each row of queries: see <see cref="DropoutDraws"/>.</param>
internal sealed record AttentionDropout(double Rate, ulong[] Keys)
{
    /// <summary>What the weights of a query and head are dropped by.</summary>
    public ulong KeyOf(int query, int head) => DropoutHash.Part(Keys[query], (ulong)head);
}

/// <summary>N, M and H.</summary>
/// <param name="Heads">Of queries.</param>
/// <param name="KeyHeads">Of keys and values; divides the other.</param>
/// <param name="HeadSize">Channels of a head.</param>
internal readonly record struct AttentionShape(int Heads, int KeyHeads, int HeadSize)
{
    /// <summary>Heads of queries for each of keys.</summary>
    public int Group => Heads / KeyHeads;
}

/// <summary>Rows of heads in memory, the channels of each side by side: borrowed from a tensor [rows, heads, H].</summary>
/// <param name="data">The first element.</param>
/// <param name="rowStride">Elements from row to row.</param>
/// <param name="headStride">Elements from head to head.</param>
internal readonly unsafe struct HeadRows(float* data, nint rowStride, nint headStride)
{
    public nint RowStride => rowStride;

    public float* Of(int row, int head) => data + row * rowStride + head * headStride;

    /// <summary>The same rows from one of their heads on.</summary>
    public HeadRows From(int head) => new(data + head * headStride, rowStride, headStride);
}

/// <summary>Some queries of one segment and head, and which keys they see, by positions in their sequence.</summary>
/// <param name="Query">Row of the first.</param>
/// <param name="Rows">How many.</param>
/// <param name="Position">Of the first.</param>
/// <param name="FirstKey">The first key that any of them sees.</param>
/// <param name="EndKey">One past the last.</param>
/// <param name="Before">See <see cref="AttentionRule"/>.</param>
/// <param name="After">Likewise.</param>
internal readonly record struct AttentionTile(int Query, int Rows, int Position, int FirstKey, int EndKey, int Before, int After)
{
    /// <summary>The tile of a segment that begins with one of its queries.</summary>
    public static AttentionTile Of(AttentionProblem problem, AttentionSegment segment, AttentionRule rule, int firstQuery, int mostRows)
    {
        var length = problem.LengthOf(segment);
        var rows = Math.Min(mostRows, segment.QueryCount - firstQuery);
        var position = length - segment.QueryCount + firstQuery;
        return new AttentionTile(
            segment.QueryStart + firstQuery, rows, position, (int)Math.Max(0, (long)position - rule.Before),
            (int)Math.Min(length, (long)position + rows + rule.After), rule.Before, rule.After);
    }

    /// <summary>The first key that a row's query sees.</summary>
    public int FirstOf(int row) => (int)Math.Max(FirstKey, (long)Position + row - Before);

    /// <summary>One past the last key that a row's query sees.</summary>
    public int EndOf(int row) => (int)Math.Min(EndKey, (long)Position + row + After + 1);

    /// <summary>One past the last key that any row of a block sees; the first is that of the block's first row.</summary>
    public int EndOfBlock(int firstRow) => EndOf(Math.Min(firstRow + TileProduct.BlockRows, Rows) - 1);

    /// <summary>The rows whose queries see any of these keys.</summary>
    public (int First, int End) RowsThatSee(int firstKey, int endKey) => (
        (int)Math.Max(0, (long)firstKey - After - Position), (int)Math.Min(Rows, (long)endKey + Before - Position));
}
