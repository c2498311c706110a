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
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        // One pass without memory of its own. A sum of finite numbers may be infinite, which the exact test tells.
        return float.IsFinite(tensor.sum(float32).cpu().item<float>()) || tensor.isfinite().all().cpu().item<bool>();
    }

    /// <summary>How many are not.</summary>
    public static long CountOfOthersIn(Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        using var scope = NewDisposeScope();
        return tensor.numel() - tensor.isfinite().sum().cpu().item<long>();
    }
}
