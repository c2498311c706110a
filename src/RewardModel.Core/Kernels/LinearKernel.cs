using static TorchSharp.torch;

namespace RewardModel.Kernels;

/// <summary>
/// x W^T + b of x [T, I], W [O, I] and b [O], float32 on the CPU, with results and gradients in <see cref="TensorMemory"/>; the setting is
/// the type that products take. The weight is given as its transpose [I, O], a view: autograd then takes the gradient as it is for the
/// parameter's, where it would copy that of a parameter itself.
/// </summary>
internal sealed class LinearKernel : Kernel<LinearKernel, Precision>
{
    /// <summary>Whether it is worth it.</summary>
    public static bool CanTake(Tensor x, Tensor weight) =>
        KernelSupport.CanTake(x) && x.size(0) * weight.size(0) >= KernelSupport.LeastElements;

    protected override Tensor[] Compute(Precision precision, Tensor?[] inputs, List<Tensor?>? saved)
    {
        var x = precision == Precision.Float32 ? inputs[0]! : TensorMemory.Converted(inputs[0]!);
        var weight_IO = inputs[1]!;
        saved?.AddRange([x, weight_IO]);
        return [Product(x, weight_IO, precision, inputs[2])];
    }

    protected override Tensor?[] Gradients(
        Precision precision, IReadOnlyList<Tensor?> saved, Tensor?[] gradients, bool[] needed)
    {
        Tensor x = saved[0]!, weight_IO = saved[1]!, gradient = gradients[0]!;
        var factor = precision == Precision.Float32 ? gradient : TensorMemory.Converted(gradient);
        return
        [
            needed[0] ? Product(factor, weight_IO.t(), precision) : null,
            needed[1] ? WeightGradient(x, factor, weight_IO, precision) : null,
            needed[2] ? gradient.sum(dim: 0) : null,
        ];
    }

    /// <summary>The gradient [I, O] of the transposed weight, in the layout of that.</summary>
    public static Tensor WeightGradient(Tensor x, Tensor gradient, Tensor weight_IO, Precision precision) =>
        weight_IO.is_contiguous() ? Product(x.t(), gradient, precision) : Product(gradient.t(), x, precision).t();

    /// <summary>The product of two matrices, of any of the two types, and a bias [columns] in float32; in float32.</summary>
    public static Tensor Product(Tensor left, Tensor right, Precision precision, Tensor? bias = null)
    {
        if (precision == Precision.Bfloat16)
            return ProductInBfloat16(left, right, bias);
        var result = TensorMemory.Empty(left.size(0), right.size(1));
        var call = bias is null
            ? new OperatorCall("aten::mm", "out").Tensor(left).Tensor(right)
            : new OperatorCall("aten::linear", "out").Tensor(left).Tensor(right.t()).OptionalTensor(bias);
        call.Tensor(result).Call(1)[0].Dispose();
        return result;
    }

    private static Tensor ProductInBfloat16(Tensor left, Tensor right, Tensor? bias)
    {
        using var scope = NewDisposeScope();
        var result = TensorMemory.Empty(ScalarType.BFloat16, left.size(0), right.size(1));
        new OperatorCall("aten::mm", "out").Tensor(In16Bits(left)).Tensor(In16Bits(right)).Tensor(result).Call(1);
        var exact = TensorMemory.Converted(result);
        return (bias is null ? exact : exact.add_(bias)).MoveToOuterDisposeScope();
    }

    /// <summary>In the layout that it has, so that a transposed weight is read as it lies.</summary>
    private static Tensor In16Bits(Tensor factor) => factor.dtype == ScalarType.BFloat16 ? factor
        : factor.is_contiguous() ? TensorMemory.Converted(factor) : TensorMemory.Converted(factor.t()).t();
}
