using static TorchSharp.torch;

namespace RewardModel.Kernels;

/// <summary>
/// Where a packed row's queries and keys lie, as flash attention reads them: every segment against its own keys, and all children of a
/// parent, a family, against the parent's.
/// </summary>
/// <remarks>R rows of queries, of which C have a parent.</remarks>
internal sealed class FlashSegments : IDisposable
{
    /// <param name="segments">Those without a parent first, each behind the one before it.</param>
    /// <param name="device">Where the row lies.</param>
    public FlashSegments(IReadOnlyList<AttentionSegment> segments, Device device)
    {
        int[] queryCounts = [.. segments.Select(segment => segment.QueryCount)];
        var queryStarts = Starts(queryCounts);
        var parents = segments.TakeWhile(segment => segment.Parent < 0).ToArray();
        var families = Enumerable.Range(parents.Length, segments.Count - parents.Length).ToLookup(child => segments[child].Parent);
        var familyCounts = parents.Select((_, parent) => families[parent].Sum(child => queryCounts[child])).ToArray();

        Own = Ranges(queryCounts, [.. segments.Select(segment => segment.Length)]);
        Families = Ranges(familyCounts, [.. parents.Select(parent => parent.Length)]);
        FamilyRows = Int64(parents.SelectMany((_, parent) => families[parent])
            .SelectMany(child => Enumerable.Range(queryStarts[child], queryCounts[child])));
        ParentRowCount = parents.Sum(parent => parent.Length);
        int[] order = [.. segments.SelectMany(segment => Enumerable.Range(segment.QueryStart, segment.QueryCount))];
        if (order.Index().Any(pair => pair.Item != pair.Index))
        {
            var places = new int[order.Length];
            for (var i = 0; i < order.Length; i++)
                places[order[i]] = i;
            (Order, Places) = (Int64(order), Int64(places));
        }

        FlashRanges Ranges(int[] queries, int[] keys) => new(Int32(Starts(queries)), Int32(Starts(keys)), queries.Max(), keys.Max());
        Tensor Int32(int[] values) => DeviceTensor.Of(values, device).DetachFromDisposeScope();
        Tensor Int64(IEnumerable<int> values) =>
            DeviceTensor.Of([.. values.Select(value => (long)value)], device).DetachFromDisposeScope();
    }

    /// <summary>Every segment.</summary>
    public FlashRanges Own { get; }

    /// <summary>Every family: its part of <see cref="FamilyRows"/>, and its parent's keys.</summary>
    public FlashRanges Families { get; }

    /// <summary>The queries that have a parent, family by family, [C], int64.</summary>
    public Tensor FamilyRows { get; }

    /// <summary>Whether there are such queries.</summary>
    public bool HasFamilies => Families.MostQueries > 0;

    /// <summary>Rows of the segments without a parent, at the beginning.</summary>
    public int ParentRowCount { get; }

    /// <summary>The given queries in the order of their segments, [R], int64; null where they lie so.</summary>
    public Tensor? Order { get; }

    /// <summary>Where <see cref="Order"/> puts each query, [R], int64.</summary>
    public Tensor? Places { get; }

    public void Dispose()
    {
        foreach (var tensor in new[] { Own.Queries, Own.Keys, Families.Queries, Families.Keys, FamilyRows, Order, Places })
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
