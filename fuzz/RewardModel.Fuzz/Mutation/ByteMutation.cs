using System.Buffers.Binary;

namespace RewardModel.Fuzz.Mutation;

/// <summary>Changes bytes, whatever they mean.</summary>
internal sealed class ByteMutation : IMutation
{
    private const int MaxRun = 64;

    // At the edges of types, and of their halves.
    private static readonly long[] interesting =
    [
        0, 1, -1, 2, 7, 8, 15, 16, 31, 32, 63, 64, 100, 127, 128, 255, 256, 512, 1000, 1024, 4096, short.MaxValue, short.MaxValue + 1, ushort.MaxValue,
        ushort.MaxValue + 1, int.MaxValue, int.MinValue, uint.MaxValue, uint.MaxValue + 1L, long.MaxValue, long.MinValue, 1L << 53, 1L << 62,
    ];

    /// <inheritdoc/>
    public byte[] Apply(byte[] input, byte[] other, FuzzRandom random)
    {
        var bytes = new List<byte>(input);
        for (var i = random.Few(most: 8); i > 0; i--)
            Change(bytes, other, random);
        return [.. bytes];
    }

    /// <summary>A number at the edge of a type, or near one.</summary>
    public static long Number(FuzzRandom random) => unchecked(random.Pick(interesting) + (random.OneIn(4) ? random.Below(5) - 2 : 0));

    private static void Change(List<byte> bytes, byte[] other, FuzzRandom random)
    {
        if (bytes.Count == 0)
        {
            bytes.AddRange(Random(random.Below(MaxRun), random));
            return;
        }
        var at = random.Below(bytes.Count);
        var length = 1 + random.Below(Math.Min(MaxRun, bytes.Count - at));
        switch (random.Below(9))
        {
            case 0:
                bytes[at] ^= (byte)(1 << random.Below(8));
                break;
            case 1:
                bytes[at] = (byte)random.Bits();
                break;
            case 2:
                bytes[at] = unchecked((byte)(bytes[at] + random.Below(33) - 16));
                break;
            case 3:
                bytes.RemoveRange(at, length);
                break;
            case 4:
                bytes.InsertRange(at, Random(length, random));
                break;
            case 5:
                bytes.InsertRange(random.Below(bytes.Count + 1), bytes.GetRange(at, length));
                break;
            case 6 when other.Length > 0:
                var from = random.Below(other.Length);
                bytes.InsertRange(at, other.AsSpan(from, 1 + random.Below(Math.Min(MaxRun, other.Length - from))).ToArray());
                break;
            case 7 when other.Length > 0:
                bytes.RemoveRange(at, bytes.Count - at);
                bytes.AddRange(other.AsSpan(random.Below(other.Length)).ToArray());
                break;
            default:
                Set(bytes, at, Number(random), random);
                break;
        }
    }

    private static void Set(List<byte> bytes, int at, long number, FuzzRandom random)
    {
        Span<byte> value = stackalloc byte[sizeof(long)];
        if (random.OneIn(4))
            BinaryPrimitives.WriteInt64BigEndian(value, number);
        else
            BinaryPrimitives.WriteInt64LittleEndian(value, number);
        var width = 1 << random.Below(4);
        for (var i = 0; i < width && at + i < bytes.Count; i++)
            bytes[at + i] = value[i];
    }

    private static byte[] Random(int count, FuzzRandom random)
    {
        var bytes = new byte[count];
        foreach (ref var one in bytes.AsSpan())
            one = (byte)random.Bits();
        return bytes;
    }
}
