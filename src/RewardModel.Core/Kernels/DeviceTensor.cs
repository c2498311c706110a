using TorchSharp;
using static TorchSharp.torch;

namespace RewardModel.Kernels;

/// <summary>Tensors of arrays, on any device.</summary>
internal static class DeviceTensor
{
    /// <summary>
    /// The numbers of an array. Where that is a GPU, nothing waits for it: TorchSharp's own <c>tensor</c> with a device returns when all that was
    /// asked of the GPU before has been computed, and then the GPU waits for what comes next. The driver has copied the numbers when the
    /// call returns, so the array's memory is free.
    /// </summary>
    public static Tensor Of(long[] values, Device? device) => To(tensor(values), device);

    /// <inheritdoc cref="Of(long[], Device?)"/>
    public static Tensor Of(int[] values, Device? device) => To(tensor(values), device);

    /// <inheritdoc cref="Of(long[], Device?)"/>
    public static Tensor Of(float[] values, Device? device) => To(tensor(values), device);

    private static Tensor To(Tensor onCpu, Device? device)
    {
        if (device is null || device.type == DeviceType.CPU)
            return onCpu;
        using (onCpu)
            return onCpu.to(device, non_blocking: true);
    }
}
