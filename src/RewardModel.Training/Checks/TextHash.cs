using System.Runtime.InteropServices;
using RewardModel.Training.Data;

namespace RewardModel.Training.Checks;

/// <summary>
/// Hashes of 64 bits that stand for texts and token ids: the same in every process. Two of a million different texts share one with a
/// probability of 3 in 100 million.
/// </summary>
internal static class TextHash
{
    public static ulong Of(ReadOnlySpan<char> text) => Of(MemoryMarshal.AsBytes(text));

    public static ulong Of(ReadOnlySpan<int> ids) => Of(MemoryMarshal.AsBytes(ids));

    public static ulong Of(ReadOnlySpan<byte> bytes)
    {
        var hash = SplitMix64.Mix((ulong)bytes.Length + 1);
        var words = MemoryMarshal.Cast<byte, ulong>(bytes);
        foreach (var word in words)
            hash = Joined(hash, word);
        foreach (var value in bytes[(words.Length * sizeof(ulong))..])
            hash = Joined(hash, value);
        return hash;
    }

    /// <summary>The hash of two things in their order.</summary>
    public static ulong Joined(ulong first, ulong second) => SplitMix64.Mix(first * 0x9e3779b97f4a7c15 + second);
}
