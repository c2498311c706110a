using System.Buffers.Binary;

namespace RewardModel.Fuzz.Mutation;

/// <summary>Several files as one input: each with its length before it.</summary>
internal static class InputParts
{
    /// <summary>One input of several files.</summary>
    public static byte[] Join(params IReadOnlyList<byte[]> parts)
    {
        var bytes = new List<byte>();
        Span<byte> length = stackalloc byte[sizeof(int)];
        foreach (var part in parts)
        {
            BinaryPrimitives.WriteInt32LittleEndian(length, part.Length);
            bytes.AddRange(length);
            bytes.AddRange(part);
        }
        return [.. bytes];
    }

    /// <summary>The files of an input.</summary>
    /// <param name="input">Any bytes.</param>
    /// <param name="count">How many files it has; those that it lacks are empty.</param>
    public static byte[][] Split(ReadOnlySpan<byte> input, int count)
    {
        var parts = new byte[count][];
        for (var i = 0; i < count; i++)
        {
            var length = input.Length < sizeof(int) ? 0 : BinaryPrimitives.ReadInt32LittleEndian(input);
            input = input[Math.Min(sizeof(int), input.Length)..];
            length = Math.Clamp(length, 0, input.Length);
            parts[i] = input[..length].ToArray();
            input = input[length..];
        }
        return parts;
    }
}
