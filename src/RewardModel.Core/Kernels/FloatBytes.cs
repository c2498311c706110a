using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace RewardModel.Kernels;

/// <summary>Numbers as files hold them, little endian, to float32.</summary>
internal static class FloatBytes
{
    /// <summary>Whether <see cref="ToSingles"/> takes a type.</summary>
    public static bool CanTake(ScalarType type) => type is ScalarType.Float32 or ScalarType.BFloat16;

    /// <summary>Converts numbers; all of them are exact in float32.</summary>
    /// <param name="type">Of the numbers.</param>
    /// <param name="bytes">As many numbers as there are results.</param>
    /// <param name="results">May lie in the same memory as numbers of float32, which are left there.</param>
    /// <returns>Whether all are finite.</returns>
    public static bool ToSingles(ScalarType type, ReadOnlySpan<byte> bytes, Span<float> results)
    {
        switch (type)
        {
            case ScalarType.Float32:
                MemoryMarshal.Cast<byte, float>(bytes).CopyTo(results);
                return AreFinite(results);
            case ScalarType.BFloat16:
                return OfBfloat16(MemoryMarshal.Cast<byte, ushort>(bytes), results);
            default:
                throw new ArgumentOutOfRangeException(nameof(type), type, "not a type that is converted here");
        }
    }

    /// <summary>Whether all numbers are finite.</summary>
    /// <param name="type">Of the numbers.</param>
    /// <param name="bytes">Of whole numbers.</param>
    public static bool AreFinite(ScalarType type, ReadOnlySpan<byte> bytes) => type switch
    {
        ScalarType.Float32 => AreFinite(MemoryMarshal.Cast<byte, float>(bytes)),
        ScalarType.BFloat16 => AreBelow(MemoryMarshal.Cast<byte, ushort>(bytes), magnitude: (ushort)0x7FFF, infinity: (ushort)0x7F80),
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "not a type that is looked at here"),
    };

    // The upper half of a float32.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool OfBfloat16(ReadOnlySpan<ushort> numbers, Span<float> results)
    {
        const ushort magnitude = 0x7FFF, infinity = 0x7F80;
        var bits = MemoryMarshal.Cast<float, uint>(results);
        var largest = Vector<ushort>.Zero;
        var i = 0;
        for (; i <= numbers.Length - Vector<ushort>.Count; i += Vector<ushort>.Count)
        {
            var some = new Vector<ushort>(numbers[i..]);
            largest = Vector.Max(largest, some & new Vector<ushort>(magnitude));
            Vector.Widen(some, out var first, out var second);
            (first << 16).CopyTo(bits[i..]);
            (second << 16).CopyTo(bits[(i + Vector<uint>.Count)..]);
        }
        var isFinite = Vector.LessThanAll(largest, new Vector<ushort>(infinity));
        for (; i < numbers.Length; i++)
        {
            bits[i] = (uint)numbers[i] << 16;
            isFinite &= (numbers[i] & magnitude) < infinity;
        }
        return isFinite;
    }

    private static bool AreFinite(ReadOnlySpan<float> numbers) =>
        AreBelow(MemoryMarshal.Cast<float, int>(numbers), magnitude: 0x7FFFFFFF, infinity: 0x7F800000);

    /// <summary>Whether the magnitudes of all numbers are below infinity, as their bits are compared.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool AreBelow<T>(ReadOnlySpan<T> bits, T magnitude, T infinity) where T : unmanaged, IBinaryInteger<T>
    {
        var largest = Vector<T>.Zero;
        var i = 0;
        for (; i <= bits.Length - Vector<T>.Count; i += Vector<T>.Count)
            largest = Vector.Max(largest, new Vector<T>(bits[i..]) & new Vector<T>(magnitude));
        var isFinite = Vector.LessThanAll(largest, new Vector<T>(infinity));
        for (; i < bits.Length; i++)
            isFinite &= (bits[i] & magnitude) < infinity;
        return isFinite;
    }
}
