namespace RewardModel.Checkpoints;

/// <summary>The element types of safetensors files that this library reads and writes. The names are the format's own.</summary>
internal enum SafetensorsType
{
    /// <summary>IEEE 754, 8 bytes.</summary>
    F64,
    /// <summary>IEEE 754, 4 bytes.</summary>
    F32,
    /// <summary>IEEE 754, 2 bytes.</summary>
    F16,
    /// <summary>bfloat16: the upper 2 bytes of an F32.</summary>
    BF16,
    /// <summary>Signed, 8 bytes.</summary>
    I64,
    /// <summary>Signed, 4 bytes.</summary>
    I32,
    /// <summary>Signed, 2 bytes.</summary>
    I16,
    /// <summary>Signed, 1 byte.</summary>
    I8,
    /// <summary>Unsigned, 1 byte.</summary>
    U8,
    /// <summary>0 or 1, 1 byte.</summary>
    BOOL,
}

internal static class SafetensorsTypeExtensions
{
    /// <summary>Bytes per element.</summary>
    public static int Size(this SafetensorsType type) => type switch
    {
        SafetensorsType.F64 or SafetensorsType.I64 => 8,
        SafetensorsType.F32 or SafetensorsType.I32 => 4,
        SafetensorsType.F16 or SafetensorsType.BF16 or SafetensorsType.I16 => 2,
        SafetensorsType.I8 or SafetensorsType.U8 or SafetensorsType.BOOL => 1,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "not an element type of safetensors files"),
    };

    /// <summary>Whether the values are weights as they are.</summary>
    public static bool IsFloatingPoint(this SafetensorsType type) =>
        type is SafetensorsType.F64 or SafetensorsType.F32 or SafetensorsType.F16 or SafetensorsType.BF16;

    /// <summary>Bytes of a tensor of that shape; an <see cref="OverflowException"/> where they are more than a long can count.</summary>
    public static long ByteCount(this SafetensorsType type, IReadOnlyList<long> shape)
    {
        // Sizes beside a 0 are counted too: strides, which libtorch works out in any case, are products of them.
        long bytes = type.Size();
        foreach (var size in shape)
            bytes = checked(bytes * Math.Max(size, 1));
        return shape.Contains(0) ? 0 : bytes;
    }
}
