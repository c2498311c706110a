using RewardModel.Kernels;
using static TorchSharp.torch;

namespace RewardModel.Packing;

/// <summary>
/// Divides the segments of a packed row into blocks of similar ones, which batched matrix products compute at once. Worked out once
/// per batch and used by all layers. Padding exists only here, inside attention, and fills at most a third of a block's length.
/// </summary>
internal sealed class AttentionLayout : IDisposable
{
    private const int shortestBound = 16;

    private readonly IReadOnlyList<Segment> segments;
    private readonly IReadOnlyList<int> scoredSegments;
    private readonly Device device;
    private readonly Dictionary<bool, AttentionProblem> problems = [];
    private readonly Dictionary<bool, FlashSegments> flashSegments = [];
    private List<AttentionBlock>? blocks;

    /// <param name="segments">In the order of <see cref="Order"/>, the keys of each behind those of the one before it.</param>
    /// <param name="scoredSegments">Indices of those whose last token is scored.</param>
    /// <param name="device">Where the row lies.</param>
    public AttentionLayout(IReadOnlyList<Segment> segments, IReadOnlyList<int> scoredSegments, Device device)
    {
        this.segments = segments;
        this.scoredSegments = scoredSegments;
        this.device = device;
        RootTokenCount = segments.TakeWhile(segment => segment.Parent == Segment.NoParent).Sum(segment => segment.Length);
    }

    /// <summary>Keys of the segments without a parent, at the beginning of the row.</summary>
    public int RootTokenCount { get; }

    /// <summary>The blocks, together all rows from the first to the last.</summary>
    public IReadOnlyList<AttentionBlock> Blocks => blocks ??= Divide();

    /// <summary>The same segments for the kernel, with all rows as queries or the scored ones only.</summary>
    public AttentionProblem Problem(bool scoredOnly)
    {
        if (!problems.TryGetValue(scoredOnly, out var problem))
        {
            var scored = scoredOnly ? scoredSegments.Index().ToDictionary(pair => pair.Item, pair => pair.Index) : null;
            var computed = 0;
            problem = new AttentionProblem(
            [
                .. segments.Select((segment, s) => scored is null
                    ? new AttentionSegment(
                        segment.Start, segment.Length, segment.Parent, (computed += segment.Computed) - segment.Computed, segment.Computed)
                    : new AttentionSegment(
                        segment.Start, segment.Length, segment.Parent, scored.GetValueOrDefault(s), scored.ContainsKey(s) ? 1 : 0)),
            ]);
            problems.Add(scoredOnly, problem);
        }
        return problem;
    }

    /// <summary>The same for flash attention.</summary>
    public FlashSegments FlashSegments(bool scoredOnly)
    {
        if (!flashSegments.TryGetValue(scoredOnly, out var found))
        {
            found = new FlashSegments(Problem(scoredOnly).Segments, device);
            flashSegments.Add(scoredOnly, found);
        }
        return found;
    }

    /// <summary>
    /// The order in which segments make the fewest blocks: indices into <paramref name="segments"/>, equals as they were.
    /// </summary>
    public static int[] Order(IReadOnlyList<Segment> segments)
    {
        var kinds = Kinds(segments);
        return [.. Enumerable.Range(0, segments.Count).OrderBy(index => kinds[index])];
    }

    public void Dispose()
    {
        blocks?.ForEach(block => block.Dispose());
        foreach (var found in flashSegments.Values)
            found.Dispose();
    }

    private List<AttentionBlock> Divide()
    {
        var kinds = Kinds(segments);
        var divided = new List<AttentionBlock>();
        for (var first = 0; first < segments.Count;)
        {
            var next = first + 1;
            while (next < segments.Count && kinds[next] == kinds[first])
                next++;
            divided.Add(new AttentionBlock(segments, first, next - first, kinds[first].SiblingCount, RootTokenCount, device));
            first = next;
        }
        return divided;
    }

    /// <summary>
    /// What segments of one block have in common: whether they have a parent, the bound on their length, and how many children
    /// within that bound their parent has. So a block is a full table of parents and children.
    /// </summary>
    private static (bool HasParent, int LengthBound, int SiblingCount)[] Kinds(IReadOnlyList<Segment> segments)
    {
        var siblings = segments.Where(segment => segment.Parent != Segment.NoParent)
            .CountBy(child => (child.Parent, Bound(child.Length))).ToDictionary();
        return [.. segments.Select(segment => (
            segment.Parent != Segment.NoParent, Bound(segment.Length),
            siblings.GetValueOrDefault((segment.Parent, Bound(segment.Length)), 1)))];
    }

    /// <summary>16, 24, 32, 48, 64, 96, ...: the first that is not below the length.</summary>
    private static int Bound(int length)
    {
        var bound = shortestBound;
        while (length > bound)
            bound = int.IsPow2(bound) ? bound / 2 * 3 : bound / 3 * 4;
        return bound;
    }
}

/// <summary>Segments that attention computes together, padded to the longest of them.</summary>
/// <remarks>
/// F families, of K segments each that continue the same parent, of at most A tokens; P tokens of the longest parent. Segments without
/// a parent are families of one with P = 0.
/// </remarks>
internal sealed class AttentionBlock : IDisposable
{
    private readonly Device device;
    private readonly int[] ownLengths;
    private readonly int[] parentLengths;
    private readonly Dictionary<AttentionReach, Tensor> masks = [];
    private Tensor? keyPositions;

    public AttentionBlock(IReadOnlyList<Segment> segments, int first, int count, int childCount, int rootTokenCount, Device device)
    {
        this.device = device;
        Segment[] own = [.. segments.Skip(first).Take(count)];
        FirstRow = own[0].Start;
        RowCount = own.Sum(segment => segment.Length);
        ChildCount = childCount;
        FamilyCount = count / childCount;
        Length = own.Max(segment => segment.Length);
        Own = new PaddedRows([.. own.Select(segment => (segment.Start - FirstRow, segment.Length))], RowCount, Length, device);

        Segment[] parents = own[0].Parent == Segment.NoParent
            ? []
            : [.. own.Chunk(childCount).Select(family => segments[family[0].Parent])];
        ownLengths = [.. own.Select(segment => segment.Length)];
        parentLengths = [.. parents.Select(parent => parent.Length)];
        if (parents.Length > 0)
        {
            ParentLength = parentLengths.Max();
            Parents = new PaddedRows([.. parents.Select(parent => (parent.Start, parent.Length))], rootTokenCount, ParentLength, device);
        }
    }

    /// <summary>First row of the block's tokens.</summary>
    public int FirstRow { get; }

    /// <summary>Count of the block's tokens.</summary>
    public int RowCount { get; }

    public int FamilyCount { get; }

    public int ChildCount { get; }

    public int Length { get; }

    public int ParentLength { get; }

    /// <summary>The block's rows, in F * K slots of A.</summary>
    public PaddedRows Own { get; }

    /// <summary>The rows without a parent, in F slots of P; null when the segments continue none.</summary>
    public PaddedRows? Parents { get; }

    /// <summary>
    /// Queries against X = P + A keys, the parent's and then the segment's own: 0 where the query sees the key, else minus infinity,
    /// float32. F is 1 where all families see the same.
    /// </summary>
    public Tensor Mask_F111AX(AttentionReach reach)
    {
        reach = reach.For(ParentLength + Length);
        if (!masks.TryGetValue(reach, out var mask))
        {
            mask = WrappedTensorDisposeScope(() => Mask(reach)).DetachFromDisposeScope();
            masks.Add(reach, mask);
        }
        return mask;
    }

    /// <summary>
    /// Positions of the X keys in their family's sequences, int64; what stands for the padding behind a parent is any. Null where they are
    /// 0 to X - 1.
    /// </summary>
    public Tensor? KeyPositions_F1111X => Parents is null ? null : keyPositions ??= KeyPositions();

    public void Dispose()
    {
        Own.Dispose();
        Parents?.Dispose();
        keyPositions?.Dispose();
        foreach (var mask in masks.Values)
            mask.Dispose();
    }

    private Tensor KeyPositions()
    {
        var keys = ParentLength + Length;
        long[] positions =
        [
            .. parentLengths.SelectMany(parent => Enumerable.Range(0, keys)
                .Select(key => (long)(key < ParentLength ? key : key - ParentLength + parent))),
        ];
        using var flat = DeviceTensor.Of(positions, device);
        return flat.view(FamilyCount, 1, 1, 1, 1, keys).DetachFromDisposeScope();
    }

    private Tensor Mask(AttentionReach reach)
    {
        // Keys of the padding stand behind all others, where causal queries don't look. Encoders look there, and have no parents.
        var families = reach.After > 0 ? ownLengths.Select(length => (Parent: 0, Own: length))
            : parentLengths.Length > 0 ? parentLengths.Select(length => (Parent: length, Own: Length))
            : [(Parent: 0, Own: Length)];
        (int Parent, int Own)[] lengths = [.. families.Distinct().Count() == 1 ? families.Take(1) : families];
        var keys = ParentLength + Length;
        var mask = new float[checked(lengths.Length * Length * keys)];
        for (var family = 0; family < lengths.Length; family++)
            for (var query = 0; query < Length; query++)
                for (var key = 0; key < keys; key++)
                {
                    var (parent, own) = lengths[family];
                    var ownKey = key - ParentLength;
                    // Positions count on from the parent's own length. Queries of the padding see themselves, for want of others.
                    var isSeen = ownKey < 0
                        ? key < parent && reach.Sees(parent + query, key)
                        : ownKey == query || (ownKey < own && reach.Sees(query, ownKey));
                    mask[(family * Length + query) * keys + key] = isSeen ? 0 : float.NegativeInfinity;
                }
        return tensor(mask, device: device).view(lengths.Length, 1, 1, 1, Length, keys);
    }
}
