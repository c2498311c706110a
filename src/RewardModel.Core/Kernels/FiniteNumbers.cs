using TorchSharp;
using static TorchSharp.torch;

namespace RewardModel.Kernels;

/// <summary>Whether tensors have infinities or NaN among their numbers.</summary>
internal static class FiniteNumbers
{
    /// <summary>Whether all are finite; whole numbers always are.</summary>
    public static bool AreIn(Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        if (!tensor.is_floating_point() || tensor.numel() == 0)
            return true;
        if (tensor.device_type == DeviceType.CPU && tensor.is_contiguous() && FloatBytes.CanTake(tensor.dtype))
            return AreInMemory(tensor);
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        // One pass without memory of its own. A sum of finite numbers may be infinite, which the exact test tells.
        return float.IsFinite(tensor.sum(float32).cpu().item<float>()) || tensor.isfinite().all().cpu().item<bool>();
    }

    /// <summary>Part by part on libtorch's threads: libtorch's sum in bfloat16 is slow.</summary>
    private static unsafe bool AreInMemory(Tensor tensor)
    {
        const int partBytes = 1 << 20;
        var (type, length) = (tensor.dtype, tensor.numel() * tensor.element_size());
        var data = (byte*)LibTorch.DataOf(tensor);
        var areFinite = true;
        TorchThreads.Run(checked((int)((length + partBytes - 1) / partBytes)), part =>
        {
            var start = (long)part * partBytes;
            if (Volatile.Read(ref areFinite) && !FloatBytes.AreFinite(type, new ReadOnlySpan<byte>(data + start, (int)Math.Min(partBytes, length - start))))
                Volatile.Write(ref areFinite, false);
        });
        return areFinite;
    }

    /// <summary>How many are not.</summary>
    public static long CountOfOthersIn(Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        using var scope = NewDisposeScope();
        return tensor.numel() - tensor.isfinite().sum().cpu().item<long>();
    }
}
