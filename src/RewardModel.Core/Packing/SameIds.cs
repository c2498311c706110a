using System.Runtime.InteropServices;

namespace RewardModel.Packing;

/// <summary>Compares token ids by their values.</summary>
internal sealed class SameIds : IEqualityComparer<int[]>
{
    public static SameIds Comparer { get; } = new();

    public bool Equals(int[]? x, int[]? y) => x.AsSpan().SequenceEqual(y);

    public int GetHashCode(int[] obj)
    {
        var hash = new HashCode();
        hash.AddBytes(MemoryMarshal.AsBytes(obj.AsSpan()));
        return hash.ToHashCode();
    }
}
