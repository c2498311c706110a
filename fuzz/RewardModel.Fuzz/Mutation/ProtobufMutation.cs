namespace RewardModel.Fuzz.Mutation;

/// <summary>Changes the fields of a message in protobuf's wire format, and of those in it, with lengths that fit again.</summary>
internal sealed class ProtobufMutation : IMutation
{
    private const int MaxDepth = 3;

    private static readonly ByteMutation bytes = new();

    /// <inheritdoc/>
    public byte[] Apply(byte[] input, byte[] other, FuzzRandom random) => Changed(input, other, random, MaxDepth);

    private static byte[] Changed(byte[] message, byte[] other, FuzzRandom random, int depth)
    {
        var fields = FieldsOf(message);
        if (fields is not { Count: > 0 } || depth == 0)
            return bytes.Apply(message, other, random);
        var at = random.Below(fields.Count);
        var (key, value) = fields[at];
        switch (random.Below(8))
        {
            case 0:
                fields.RemoveAt(at);
                break;
            case 1:
                fields.Insert(random.Below(fields.Count + 1), fields[at]);
                break;
            case 2 when FieldsOf(other) is { Count: > 0 } others:
                fields.Insert(at, random.Pick(others));
                break;
            case 3:
                fields[at] = ((ulong)random.Below(50) << 3 | (uint)random.Below(8), value);
                break;
            default:
                fields[at] = (key, (key & 7) switch
                {
                    0 => Varint(random.OneIn(2) ? (ulong)random.Below(8) : (ulong)ByteMutation.Number(random)),
                    2 => Changed(value, other, random, depth - 1),
                    _ => bytes.Apply(value, other, random),
                });
                break;
        }
        return [.. fields.SelectMany(field => BytesOf(field.Key, field.Value))];
    }

    /// <summary>A field as it is written.</summary>
    public static byte[] BytesOf(ulong key, byte[] value) =>
        [.. Varint(key), .. (key & 7) == 2 ? Varint((ulong)value.Length) : [], .. value];

    /// <summary>A number as it is written.</summary>
    public static byte[] Varint(ulong number)
    {
        var result = new List<byte>();
        for (; number >= 0x80; number >>= 7)
            result.Add((byte)(number | 0x80));
        result.Add((byte)number);
        return [.. result];
    }

    /// <summary>Keys and values; null where the bytes are no message.</summary>
    private static List<(ulong Key, byte[] Value)>? FieldsOf(ReadOnlySpan<byte> rest)
    {
        var fields = new List<(ulong, byte[])>();
        while (rest.Length > 0)
        {
            if (Number(ref rest) is not { } key)
                return null;
            var start = rest;
            ulong? length = (key & 7) switch { 1 => 8, 5 => 4, 2 => Number(ref rest), 0 => 0, _ => null };
            if ((key & 7) == 0)
            {
                if (Number(ref rest) is null)
                    return null;
                fields.Add((key, start[..^rest.Length].ToArray()));
                continue;
            }
            if (length is not { } count || count > (ulong)rest.Length)
                return null;
            fields.Add((key, rest[..(int)count].ToArray()));
            rest = rest[(int)count..];
        }
        return fields;
    }

    private static ulong? Number(ref ReadOnlySpan<byte> rest)
    {
        var number = 0UL;
        for (var i = 0; i < Math.Min(rest.Length, 10); i++)
        {
            number |= (ulong)(rest[i] & 0x7f) << (7 * i);
            if (rest[i] < 0x80)
            {
                rest = rest[(i + 1)..];
                return number;
            }
        }
        return null;
    }
}
