using System.Buffers.Binary;

namespace RewardModel.Tokenizers.OlderFiles;

/// <summary>
/// Reads the fields of one message in protobuf's wire format. A field is a varint of its number and wire type, then its value: a varint
/// (type 0), 8 bytes (1), a length and as many bytes (2), or 4 bytes (5).
/// </summary>
/// <param name="message">The message.</param>
internal ref struct ProtobufReader(ReadOnlySpan<byte> message)
{
    private ReadOnlySpan<byte> rest = message;

    /// <summary>The number of the present field.</summary>
    public int Field { get; private set; }

    /// <summary>Its value if that is a varint; else 0.</summary>
    public ulong Number { get; private set; }

    /// <summary>Its bytes if it has 4, 8, or its own length of them; else none.</summary>
    public ReadOnlySpan<byte> Bytes { get; private set; }

    /// <summary>The present field as a float; 0 where it is none.</summary>
    public readonly float Float => Bytes.Length == sizeof(float) ? BinaryPrimitives.ReadSingleLittleEndian(Bytes) : 0;

    /// <summary>Goes on to the next field; false at the end.</summary>
    /// <exception cref="InvalidDataException">The message is malformed.</exception>
    public bool MoveNext()
    {
        if (rest.Length == 0)
            return false;
        var key = ReadVarint();
        Field = (int)Math.Min(key >> 3, int.MaxValue);
        Number = 0;
        Bytes = default;
        switch (key & 7)
        {
            case 0:
                Number = ReadVarint();
                break;
            case 1:
                Bytes = Take(sizeof(ulong));
                break;
            case 2:
                Bytes = Take(ReadVarint());
                break;
            case 5:
                Bytes = Take(sizeof(uint));
                break;
            case var type:
                throw new InvalidDataException($"a field has the wire type {type}, expected 0, 1, 2 or 5");
        }
        return true;
    }

    private ReadOnlySpan<byte> Take(ulong length)
    {
        if (length > (ulong)rest.Length)
            throw new InvalidDataException($"a field should have {length} bytes, but only {rest.Length} are present");
        var result = rest[..(int)length];
        rest = rest[(int)length..];
        return result;
    }

    private ulong ReadVarint()
    {
        var result = 0UL;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var value = Take(1)[0];
            result |= (ulong)(value & 0x7F) << shift;
            if (value < 0x80)
                return result;
        }
        throw new InvalidDataException("a number has more than 10 bytes");
    }
}
