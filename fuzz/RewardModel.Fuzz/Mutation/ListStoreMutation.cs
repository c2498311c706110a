using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace RewardModel.Fuzz.Mutation;

/// <summary>Changes a file of tokenised lists, and says its length and checksum as they then are: without, only these are looked at.</summary>
internal sealed class ListStoreMutation : IMutation
{
    private static readonly ByteMutation bytes = new();

    /// <inheritdoc/>
    public byte[] Apply(byte[] input, byte[] other, FuzzRandom random)
    {
        var changed = bytes.Apply(input, other, random);
        var checksumLength = Marshal.SizeOf<UInt128>();
        if (changed.Length < checksumLength + sizeof(long) || random.OneIn(16))
            return changed;
        var length = (long)changed.Length;
        if (!random.OneIn(16))
            MemoryMarshal.Write(changed.AsSpan(changed.Length - checksumLength - sizeof(long)), in length);
        // As ContentDigest has it of a file of one block.
        var content = changed.AsSpan(0, changed.Length - checksumLength);
        UInt128[] digests = [XxHash128.HashToUInt128(content), (UInt128)content.Length];
        var checksum = XxHash128.HashToUInt128(MemoryMarshal.AsBytes<UInt128>(digests));
        MemoryMarshal.Write(changed.AsSpan(content.Length), in checksum);
        return changed;
    }
}
