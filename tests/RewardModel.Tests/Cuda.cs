using static TorchSharp.torch;

namespace RewardModel.Tests;

/// <summary>Tests of what only a GPU shows. Where libtorch finds none they are skipped, saying so.</summary>
internal static class Cuda
{
    public static string? SkipReason => cuda_is_available() ? null : "libtorch finds no CUDA device on this machine";
}

/// <summary>A fact that needs a GPU.</summary>
internal sealed class CudaFactAttribute : FactAttribute
{
    public CudaFactAttribute() => Skip = Cuda.SkipReason!;
}

/// <summary>A theory that needs a GPU.</summary>
internal sealed class CudaTheoryAttribute : TheoryAttribute
{
    public CudaTheoryAttribute() => Skip = Cuda.SkipReason!;
}
