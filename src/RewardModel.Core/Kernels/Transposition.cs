using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace RewardModel.Kernels;

/// <summary>Rows that become columns.</summary>
internal static unsafe class Transposition
{
    /// <summary>target[i, j] = source[j, i] of four numbers each way.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void OfFour(float* source, nint sourceStride, float* target, nint targetStride)
    {
        Vector128<float> a = Vector128.Load(source), b = Vector128.Load(source + sourceStride);
        Vector128<float> c = Vector128.Load(source + 2 * sourceStride), d = Vector128.Load(source + 3 * sourceStride);
        Vector128<float> lowAB = Interleave(a, b, isLow: true), lowCD = Interleave(c, d, isLow: true);
        Vector128<float> highAB = Interleave(a, b, isLow: false), highCD = Interleave(c, d, isLow: false);
        Vector128.Create(lowAB.GetLower(), lowCD.GetLower()).Store(target);
        Vector128.Create(lowAB.GetUpper(), lowCD.GetUpper()).Store(target + targetStride);
        Vector128.Create(highAB.GetLower(), highCD.GetLower()).Store(target + 2 * targetStride);
        Vector128.Create(highAB.GetUpper(), highCD.GetUpper()).Store(target + 3 * targetStride);
    }

    /// <summary>Numbers of both in turn, of their lower or upper halves.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Interleave(Vector128<float> left, Vector128<float> right, bool isLow)
    {
        if (Sse.IsSupported)
            return isLow ? Sse.UnpackLow(left, right) : Sse.UnpackHigh(left, right);
        if (AdvSimd.Arm64.IsSupported)
            return isLow ? AdvSimd.Arm64.ZipLow(left, right) : AdvSimd.Arm64.ZipHigh(left, right);
        var first = isLow ? 0 : 2;
        return Vector128.Create(left[first], right[first], left[first + 1], right[first + 1]);
    }
}
