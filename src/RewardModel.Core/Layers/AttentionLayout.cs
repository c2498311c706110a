using TorchSharp;
using static TorchSharp.torch;

namespace RewardModel.Layers;

/// <summary>
/// Where each token of a packed row lies in the padded blocks that batched matrix products need, and who may see whom there.
/// Worked out once per batch and used by all layers. Padding exists only here, inside attention.
/// </summary>
/// <remarks>
/// R segments without a parent ("roots"), P tokens of the longest; F parents ("families"), K children of the largest family,
/// A tokens of the longest child.
/// </remarks>
internal sealed class AttentionLayout : IDisposable
{
    /// <param name="segments">Roots first, then the children of the first parent, of the second, and so on.</param>
    public AttentionLayout(IReadOnlyList<Segment> segments)
    {
        var roots = segments.TakeWhile(segment => segment.Parent == Segment.NoParent).ToArray();
        RootCount = roots.Length;
        LongestRoot = roots.Max(root => root.Length);
        RootTokenCount = roots.Sum(root => root.Length);
        Roots = new PaddedRows([.. roots.Select(root => root.Length)], [.. Enumerable.Range(0, RootCount)], RootCount, LongestRoot);
        RootMask_PP = Keep(() => Mask(LongestRoot, (query, key) => key <= query));

        var families = segments.Skip(RootCount).GroupBy(child => child.Parent).ToArray();
        FamilyCount = families.Length;
        if (FamilyCount == 0)
            return;
        LargestFamily = families.Max(family => family.Count());
        LongestChild = families.Max(family => family.Max(child => child.Length));
        ChildTokenCount = segments.Skip(RootCount).Sum(child => child.Length);
        Children = new PaddedRows(
            [.. families.SelectMany(family => family.Select(child => child.Length))],
            [.. families.SelectMany((family, f) => family.Select((_, k) => f * LargestFamily + k))],
            FamilyCount * LargestFamily, LongestChild);
        ChildMask_F111AX = Keep(() => stack(families.Select(family => ChildMask(roots[family.Key].Length))).view(
            FamilyCount, 1, 1, 1, LongestChild, LongestRoot + LongestChild));
        if (FamilyCount < RootCount)
            FamilyRoots_F = Keep(() => tensor(families.Select(family => (long)family.Key).ToArray()));
    }

    public int RootCount { get; }

    public int LongestRoot { get; }

    public int RootTokenCount { get; }

    public int FamilyCount { get; }

    public int LargestFamily { get; }

    public int LongestChild { get; }

    public int ChildTokenCount { get; }

    public PaddedRows Roots { get; }

    /// <summary>Null when there are no families.</summary>
    public PaddedRows? Children { get; }

    /// <summary>Root queries against root keys, float32: 0 where the query sees the key, else minus infinity.</summary>
    public Tensor RootMask_PP { get; }

    /// <summary>Child queries against X = P + A keys, the parent's and then their own, float32. Null when there are no families.</summary>
    public Tensor? ChildMask_F111AX { get; }

    /// <summary>The root of each family, int64; null when every root has a family.</summary>
    public Tensor? FamilyRoots_F { get; }

    public void Dispose()
    {
        Roots.Dispose();
        Children?.Dispose();
        RootMask_PP.Dispose();
        ChildMask_F111AX?.Dispose();
        FamilyRoots_F?.Dispose();
    }

    private Tensor ChildMask(int parentLength) => Mask(LongestChild, LongestRoot + LongestChild, (query, key) =>
        key < LongestRoot ? key < parentLength : key - LongestRoot <= query);

    private static Tensor Mask(int size, Func<int, int, bool> sees) => Mask(size, size, sees);

    private static Tensor Mask(int queries, int keys, Func<int, int, bool> sees)
    {
        var mask = new float[queries * keys];
        for (var query = 0; query < queries; query++)
            for (var key = 0; key < keys; key++)
                mask[query * keys + key] = sees(query, key) ? 0 : float.NegativeInfinity;
        return tensor(mask).view(queries, keys);
    }

    /// <summary>The layout outlives the dispose scope in which it is made.</summary>
    private static Tensor Keep(Func<Tensor> make) => WrappedTensorDisposeScope(make).DetachFromDisposeScope();
}
