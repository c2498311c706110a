using TorchSharp;
using static TorchSharp.torch;

namespace RewardModel.Kernels;

/// <summary>Which tensors the kernels compute with; the others are computed of TorchSharp's operators.</summary>
internal static class KernelSupport
{
    /// <summary>Float32 numbers in this machine's memory.</summary>
    public static bool CanTake(Tensor tensor) => tensor.device_type == DeviceType.CPU && tensor.dtype == ScalarType.Float32;
}
