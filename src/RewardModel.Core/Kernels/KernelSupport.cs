using TorchSharp;
using static TorchSharp.torch;

namespace RewardModel.Kernels;

/// <summary>Which tensors the kernels compute with; the others are computed of TorchSharp's operators.</summary>
internal static class KernelSupport
{
    /// <summary>
    /// What libtorch has an operator for is a kernel only where the result has that many numbers: its memory comes from
    /// <see cref="TensorMemory"/> then. For smaller ones a node of our own costs more than it saves.
    /// </summary>
    public const long LeastElements = 1 << 18;

    /// <summary>Float32 numbers in this machine's memory.</summary>
    public static bool CanTake(Tensor tensor) => tensor.device_type == DeviceType.CPU && tensor.dtype == ScalarType.Float32;
}
