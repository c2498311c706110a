using RewardModel.Layers;

namespace RewardModel.Tests.Layers;

/// <summary>A fact about the shim's kernels. Where TorchSharp comes from its package there are none, and it is skipped, saying so.</summary>
internal sealed class KernelFactAttribute : FactAttribute
{
    public KernelFactAttribute() => Skip = Reason!;

    public static string? Reason => NativeKernels.AreAvailable ? null : "TorchSharp comes from its package, without the shim's kernels";
}

/// <summary>A theory about the shim's kernels.</summary>
internal sealed class KernelTheoryAttribute : TheoryAttribute
{
    public KernelTheoryAttribute() => Skip = KernelFactAttribute.Reason!;
}
