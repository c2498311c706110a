using System.Buffers.Binary;
using System.Text;

namespace RewardModel.Training.Reporting;

/// <summary>A message of Google's protocol buffers being written: fields by their numbers, each with its wire type.</summary>
internal sealed class ProtocolBuffer
{
    private const int variableLength = 0, eightBytes = 1, lengthFirst = 2, fourBytes = 5;

    private readonly List<byte> bytes = [];

    /// <summary>What was written.</summary>
    public ReadOnlySpan<byte> Bytes => bytes.ToArray();

    /// <summary>An int64 or an enum, 0 or more; 0 is the default and is not written.</summary>
    public void Integer(int field, long value)
    {
        if (value == 0)
            return;
        Key(field, variableLength);
        VariableLength((ulong)value);
    }

    /// <summary>A float.</summary>
    public void Single(int field, float value)
    {
        Key(field, fourBytes);
        Span<byte> encoded = stackalloc byte[sizeof(float)];
        BinaryPrimitives.WriteSingleLittleEndian(encoded, value);
        bytes.AddRange(encoded);
    }

    /// <summary>A double.</summary>
    public void Double(int field, double value)
    {
        Key(field, eightBytes);
        Span<byte> encoded = stackalloc byte[sizeof(double)];
        BinaryPrimitives.WriteDoubleLittleEndian(encoded, value);
        bytes.AddRange(encoded);
    }

    /// <summary>A string.</summary>
    public void Text(int field, string value) => LengthFirst(field, Encoding.UTF8.GetBytes(value));

    /// <summary>A message in this one.</summary>
    public void Message(int field, ProtocolBuffer value) => LengthFirst(field, value.Bytes);

    private void LengthFirst(int field, ReadOnlySpan<byte> value)
    {
        Key(field, lengthFirst);
        VariableLength((ulong)value.Length);
        bytes.AddRange(value);
    }

    private void Key(int field, int wireType) => VariableLength((ulong)(field << 3 | wireType));

    /// <summary>Seven bits a byte, the lowest first; the highest bit says that another byte follows.</summary>
    private void VariableLength(ulong value)
    {
        for (; value >= 0x80; value >>= 7)
            bytes.Add((byte)(value | 0x80));
        bytes.Add((byte)value);
    }
}
