using System.Runtime.InteropServices;

namespace RewardModel.Training.Data;

/// <summary>Reads what a <see cref="ByteWriter"/> wrote, in the same order.</summary>
/// <param name="bytes">What was written; more may follow.</param>
internal ref struct ByteReader(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> rest = bytes;

    /// <summary>What is thrown where the bytes are not those of a writer.</summary>
    public static InvalidDataException Damaged() => new(
        "Bytes of tokenised lists are not as they were written; expected a file that only this library writes to. "
        + "Delete the folder of tokenised lists: it is made again.");

    /// <summary>A number from 0.</summary>
    public int ReadCount()
    {
        long count = 0;
        for (var shift = 0; shift < 35; shift += 7)
        {
            var bits = Take(1)[0];
            count |= (bits & 0x7fL) << shift;
            if (bits < 0x80)
                return count <= int.MaxValue ? (int)count : throw Damaged();
        }
        throw Damaged();
    }

    /// <summary>A number of eight bytes.</summary>
    public double ReadDouble() => MemoryMarshal.Read<double>(Take(sizeof(double)));

    /// <summary>Several of these.</summary>
    public double[] ReadDoubles(int count)
    {
        var bytes = Take((long)count * sizeof(double));
        var numbers = new double[count];
        bytes.CopyTo(MemoryMarshal.AsBytes(numbers.AsSpan()));
        return numbers;
    }

    /// <summary>A text.</summary>
    public string ReadText() => new(MemoryMarshal.Cast<byte, char>(Take((long)ReadCount() * sizeof(char))));

    /// <summary>Token ids, in an array of their own, also where there are none.</summary>
    /// <param name="before">How many others to leave room for before them.</param>
    /// <param name="after">How many others to leave room for behind them.</param>
    public int[] ReadIds(int before = 0, int after = 0)
    {
        var count = ReadCount();
        var units = MemoryMarshal.Cast<byte, ushort>(rest);
        if (count > units.Length)
            throw Damaged();
        var ids = new int[before + count + after];
        var used = 0;
        foreach (ref var id in ids.AsSpan(before, count))
        {
            int unit = units[used++];
            id = unit < ByteWriter.FirstOfSeveral ? unit
                : unit < ByteWriter.FirstOfThree ? ((unit - ByteWriter.FirstOfSeveral) << 16) + units[used++]
                : (units[used++] << 16) + units[used++];
        }
        rest = rest[(used * sizeof(ushort))..];
        return ids;
    }

    private ReadOnlySpan<byte> Take(long count)
    {
        if (count < 0 || count > rest.Length)
            throw Damaged();
        var taken = rest[..(int)count];
        rest = rest[(int)count..];
        return taken;
    }
}
