using System.Runtime.InteropServices;

namespace RewardModel.Training.Data;

/// <summary>Writes numbers, texts and token ids into a buffer that grows, as <see cref="ByteReader"/> reads them.</summary>
internal sealed class ByteWriter
{
    /// <summary>Units from here on begin an id of several units; the last one, an id of three.</summary>
    public const int FirstOfSeveral = 0xe000, FirstOfThree = 0xffff;

    private byte[] buffer = new byte[1 << 12];
    private int length;

    /// <summary>What was written since the last <see cref="Clear"/>.</summary>
    public ReadOnlySpan<byte> Written => buffer.AsSpan(0, length);

    /// <summary>Begins anew.</summary>
    public void Clear() => length = 0;

    /// <summary>A number from 0, in as many bytes as it needs, seven bits each.</summary>
    public void WriteCount(int count)
    {
        var bits = (uint)count;
        for (; bits >= 0x80; bits >>= 7)
            Reserve(1)[0] = (byte)(bits | 0x80);
        Reserve(1)[0] = (byte)bits;
    }

    /// <summary>A number in eight bytes.</summary>
    public void WriteDouble(double number) => MemoryMarshal.Write(Reserve(sizeof(double)), number);

    /// <summary>A text, with unpaired surrogates as they are.</summary>
    public void WriteText(string text)
    {
        WriteCount(text.Length);
        MemoryMarshal.AsBytes(text.AsSpan()).CopyTo(Reserve(text.Length * sizeof(char)));
    }

    /// <summary>
    /// Token ids in units of 16 bits: one for those below 57,344, which nearly all are, two for others of vocabularies, three for any number.
    /// </summary>
    public void WriteIds(ReadOnlySpan<int> ids)
    {
        WriteCount(ids.Length);
        var units = MemoryMarshal.Cast<byte, ushort>(Reserve(checked(ids.Length * 3 * sizeof(ushort))));
        var count = 0;
        foreach (var id in ids)
        {
            if ((uint)id < FirstOfSeveral)
            {
                units[count++] = (ushort)id;
                continue;
            }
            if ((uint)id >> 16 < FirstOfThree - FirstOfSeveral)
                units[count++] = (ushort)(FirstOfSeveral + (id >> 16));
            else
            {
                units[count++] = FirstOfThree;
                units[count++] = (ushort)(id >> 16);
            }
            units[count++] = (ushort)id;
        }
        length -= (ids.Length * 3 - count) * sizeof(ushort);
    }

    private Span<byte> Reserve(int count)
    {
        if (length + (long)count > buffer.Length)
            Array.Resize(ref buffer, (int)Math.Min(Array.MaxLength, Math.Max(length + (long)count, 2L * buffer.Length)));
        length += count;
        return buffer.AsSpan(length - count, count);
    }
}
