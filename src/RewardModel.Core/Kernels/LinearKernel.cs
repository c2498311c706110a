using RewardModel.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace RewardModel.Kernels;

/// <summary>
/// x W^T + b of x [T, I], W [O, I] and b [O], float32 on the CPU, with results and gradients in <see cref="TensorMemory"/>. The weight is
/// given as its transpose [I, O], a view: autograd then takes the gradient as it is for the parameter's, where it would copy that of a
/// parameter itself.
/// </summary>
internal sealed class LinearKernel : Kernel<LinearKernel, ValueTuple>
{
    /// <summary>Whether it is worth it.</summary>
    public static bool CanTake(Tensor x, Tensor weight) =>
        KernelSupport.CanTake(x) && x.size(0) * weight.size(0) >= KernelSupport.LeastElements;

    protected override Tensor[] Compute(ValueTuple settings, Tensor?[] inputs, List<Tensor?>? saved)
    {
        Tensor x = inputs[0]!, weight_IO = inputs[1]!;
        saved?.AddRange([x, weight_IO]);
        return [Product(x, weight_IO, inputs[2])];
    }

    protected override Tensor?[] Gradients(ValueTuple settings, IReadOnlyList<Tensor?> saved, Tensor?[] gradients, bool[] needed)
    {
        Tensor x = saved[0]!, weight_IO = saved[1]!, gradient = gradients[0]!;
        return
        [
            needed[0] ? Product(gradient, weight_IO.t()) : null,
            // In the layout of the weight.
            !needed[1] ? null : weight_IO.is_contiguous() ? Product(x.t(), gradient) : Product(gradient.t(), x).t(),
            needed[2] ? gradient.sum(dim: 0) : null,
        ];
    }

    /// <summary>The product of two matrices, and a bias [columns].</summary>
    public static Tensor Product(Tensor left, Tensor right, Tensor? bias = null)
    {
        var result = TensorMemory.Empty(left.size(0), right.size(1));
        var call = bias is null
            ? new OperatorCall("aten::mm", "out").Tensor(left).Tensor(right)
            : new OperatorCall("aten::linear", "out").Tensor(left).Tensor(right.t()).OptionalTensor(bias);
        call.Tensor(result).Call(1)[0].Dispose();
        return result;
    }
}
