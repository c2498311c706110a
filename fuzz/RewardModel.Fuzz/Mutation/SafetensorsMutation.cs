using System.Buffers.Binary;

namespace RewardModel.Fuzz.Mutation;

/// <summary>Changes the header of a safetensors file as JSON, and most often says its length as it then is.</summary>
/// <param name="words">Names that stand in headers.</param>
internal sealed class SafetensorsMutation(IReadOnlyList<string> words) : IMutation
{
    private readonly MixedMutation header = new(new JsonMutation(words));

    /// <inheritdoc/>
    public byte[] Apply(byte[] input, byte[] other, FuzzRandom random)
    {
        if (HeaderOf(input) is not { } own)
            return input;
        var changed = header.Apply(own, HeaderOf(other) ?? [], random);
        var file = new byte[sizeof(long) + changed.Length + input.Length - sizeof(long) - own.Length];
        BinaryPrimitives.WriteInt64LittleEndian(file, random.OneIn(16) ? ByteMutation.Number(random) : changed.Length);
        changed.CopyTo(file, sizeof(long));
        input.AsSpan(sizeof(long) + own.Length).CopyTo(file.AsSpan(sizeof(long) + changed.Length));
        return file;
    }

    private static byte[]? HeaderOf(byte[] file)
    {
        if (file.Length < sizeof(long))
            return null;
        var length = BinaryPrimitives.ReadInt64LittleEndian(file);
        return length >= 0 && length <= file.Length - sizeof(long) ? file.AsSpan(sizeof(long), (int)length).ToArray() : null;
    }
}
