using System.Runtime.Intrinsics.X86;
using TorchSharp;

namespace RewardModel.Kernels;

/// <summary>Where products in bfloat16 are faster than in float32. Elsewhere libtorch computes them number by number, at a hundredth.</summary>
internal static class Bfloat16Support
{
    /// <summary>Whether this processor has instructions for them that libtorch uses: AVX512_BF16 or AMX.</summary>
    public static bool IsOnProcessor { get; } = Avx512F.IsSupported && HasInstructions();

    /// <summary>Whether devices of that type compute them fast.</summary>
    public static bool IsFastOn(DeviceType type) => type != DeviceType.CPU || IsOnProcessor;

    /// <summary>The precision that products are computed in where one is asked for.</summary>
    public static Precision Resolve(Precision asked, DeviceType type) => IsFastOn(type) ? asked : Precision.Float32;

    // CPUID's leaf 7: of sub-leaf 0 bit 22 of EDX is AMX-BF16, of sub-leaf 1 bit 5 of EAX is AVX512_BF16 (Intel, "Architecture Instruction
    // Set Extensions Programming Reference", chapter 1).
    private static bool HasInstructions() =>
        (X86Base.CpuId(7, 0).Edx >> 22 & 1) != 0 || (X86Base.CpuId(7, 1).Eax >> 5 & 1) != 0;
}
