using static TorchSharp.torch;

namespace RewardModel.Kernels;

/// <summary>Other memory for a tensor that others hold, such as a parameter: the object stays, with its name and its part in autograd.</summary>
internal static class TensorSlot
{
    /// <summary>Lets a tensor be what another one is: its memory, shape and strides.</summary>
    /// <param name="tensor">A leaf; what autograd has of it must have the same shape.</param>
    /// <param name="values">Of the same type, on the same device; not needed afterwards.</param>
    public static void Set(Tensor tensor, Tensor values)
    {
        using var _ = no_grad();
        new OperatorCall("aten::set_", "source_Tensor").Tensor(tensor).Tensor(values).Call(1)[0].Dispose();
    }

    /// <summary>Takes a float32 tensor's memory away; its shape stays, and all its elements are one NaN, so that whoever reads it finds out.</summary>
    public static void Empty(Tensor tensor, long[] shape)
    {
        using var scope = NewDisposeScope();
        Set(tensor, full(1, float.NaN, device: tensor.device).expand(shape));
    }
}
