using TorchSharp;
using static TorchSharp.torch;

namespace RewardModel.Layers;

/// <summary>
/// Where a packed row's queries and keys lie, as flash attention reads them: every segment against its own keys, and all children of a
/// parent, a family, against the parent's. Ranges are given by their first rows, and one past the last.
/// </summary>
/// <remarks>S segments, P of them without a parent; R rows of queries, of which C have a parent.</remarks>
internal sealed class FlashSegments : IDisposable
{
    /// <param name="segments">Those without a parent first, each behind the one before it.</param>
    /// <param name="scoredSegments">Indices of those whose last token is scored.</param>
    /// <param name="scoredOnly">Queries are the scored tokens only, in the order of <paramref name="scoredSegments"/>.</param>
    /// <param name="device">Where the row lies.</param>
    public FlashSegments(IReadOnlyList<Segment> segments, IReadOnlyList<int> scoredSegments, bool scoredOnly, Device device)
    {
        var queryCounts = new int[segments.Count];
        if (scoredOnly)
            foreach (var index in scoredSegments)
                queryCounts[index] = 1;
        else
            for (var s = 0; s < segments.Count; s++)
                queryCounts[s] = segments[s].Length;
        var queryStarts = Starts(queryCounts);
        var parents = segments.TakeWhile(segment => segment.Parent == Segment.NoParent).ToArray();
        var families = Enumerable.Range(parents.Length, segments.Count - parents.Length).ToLookup(child => segments[child].Parent);
        var familyCounts = parents.Select((_, parent) => families[parent].Sum(child => queryCounts[child])).ToArray();

        OwnQueries = Int32(queryStarts);
        OwnKeys = Int32(Starts(segments.Select(segment => segment.Length)));
        FamilyQueries = Int32(Starts(familyCounts));
        FamilyKeys = Int32(Starts(parents.Select(parent => parent.Length)));
        FamilyRows = Int64(parents.SelectMany((_, parent) => families[parent])
            .SelectMany(child => Enumerable.Range(queryStarts[child], queryCounts[child])));
        (LongestOwnQueries, LongestOwnKeys) = (queryCounts.Max(), segments.Max(segment => segment.Length));
        (LongestFamilyQueries, LongestFamilyKeys) = (familyCounts.Max(), parents.Max(parent => parent.Length));
        ParentRowCount = parents.Sum(parent => parent.Length);
        if (scoredOnly)
        {
            int[] order = [.. Enumerable.Range(0, scoredSegments.Count).OrderBy(n => scoredSegments[n])];
            var places = new int[order.Length];
            for (var i = 0; i < order.Length; i++)
                places[order[i]] = i;
            (Order, Places) = (Int64(order), Int64(places));
        }

        Tensor Int32(int[] values) => tensor(values, device: device).DetachFromDisposeScope();
        Tensor Int64(IEnumerable<int> values) =>
            tensor([.. values.Select(value => (long)value)], dtype: ScalarType.Int64, device: device).DetachFromDisposeScope();
    }

    /// <summary>Queries of each segment, [S + 1], int32.</summary>
    public Tensor OwnQueries { get; }

    /// <summary>Keys of each segment, [S + 1], int32.</summary>
    public Tensor OwnKeys { get; }

    /// <summary>Each family's part of <see cref="FamilyRows"/>, [P + 1], int32.</summary>
    public Tensor FamilyQueries { get; }

    /// <summary>Keys of the parents, [P + 1], int32.</summary>
    public Tensor FamilyKeys { get; }

    /// <summary>The queries that have a parent, family by family, [C], int64.</summary>
    public Tensor FamilyRows { get; }

    public int LongestOwnQueries { get; }

    public int LongestOwnKeys { get; }

    public int LongestFamilyQueries { get; }

    public int LongestFamilyKeys { get; }

    /// <summary>Rows of the segments without a parent, at the beginning.</summary>
    public int ParentRowCount { get; }

    /// <summary>The given queries in the order of their segments, [R], int64; null where they lie so.</summary>
    public Tensor? Order { get; }

    /// <summary>Where <see cref="Order"/> puts each query, [R], int64.</summary>
    public Tensor? Places { get; }

    public void Dispose()
    {
        foreach (var tensor in new[] { OwnQueries, OwnKeys, FamilyQueries, FamilyKeys, FamilyRows, Order, Places })
            tensor?.Dispose();
    }

    private static int[] Starts(IEnumerable<int> counts)
    {
        var starts = new List<int> { 0 };
        foreach (var count in counts)
            starts.Add(starts[^1] + count);
        return [.. starts];
    }
}
