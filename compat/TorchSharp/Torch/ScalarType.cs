namespace TorchSharp;

public static partial class torch
{
    /// <summary>The type of a tensor's elements; the numbers are c10::ScalarType's.</summary>
    public enum ScalarType : sbyte
    {
        Byte = 0,
        Int8 = 1,
        Int16 = 2,
        Int32 = 3,
        Int64 = 4,
        Float16 = 5,
        Float32 = 6,
        Float64 = 7,
        Bool = 11,
        BFloat16 = 15,
    }

    public static readonly ScalarType bfloat16 = ScalarType.BFloat16;
    public static readonly ScalarType float32 = ScalarType.Float32;
    public static readonly ScalarType float64 = ScalarType.Float64;

    /// <summary>The element type that a .NET type stands for; null when there is none.</summary>
    internal static ScalarType? ScalarTypeOf(Type type) => type switch
    {
        _ when type == typeof(byte) => ScalarType.Byte,
        _ when type == typeof(sbyte) => ScalarType.Int8,
        _ when type == typeof(short) => ScalarType.Int16,
        _ when type == typeof(int) => ScalarType.Int32,
        _ when type == typeof(long) => ScalarType.Int64,
        _ when type == typeof(Half) => ScalarType.Float16,
        _ when type == typeof(float) => ScalarType.Float32,
        _ when type == typeof(double) => ScalarType.Float64,
        _ when type == typeof(bool) => ScalarType.Bool,
        _ => null,
    };
}
