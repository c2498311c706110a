using TorchSharp;
using static TorchSharp.torch;

namespace RewardModel.Kernels;

/// <summary>What <see cref="LinearKernel"/> is told beside tensors.</summary>
/// <param name="Precision">The type that products take.</param>
/// <param name="Stored">The weight, where it is not trained and not a tensor of float32.</param>
internal readonly record struct LinearSettings(Precision Precision, StoredMatrix? Stored = null);

/// <summary>
/// x W^T + b of x [T, I], W [O, I] and b [O], float32. On the CPU results and gradients are in <see cref="TensorMemory"/>; on other devices,
/// in bfloat16 or where the weight is stored, every factor is converted once, and x may be in bfloat16 already. The weight is given as its
/// transpose [I, O], a view: autograd then takes the gradient as it is for the parameter's, where it would copy that of a parameter itself. A
/// stored weight is converted for each product, and gone after it; x is not kept then.
/// </summary>
internal sealed class LinearKernel : Kernel<LinearKernel, LinearSettings>
{
    /// <summary>Whether it is worth it.</summary>
    public static bool CanTake(Tensor x, Tensor weight, Precision precision) => x.device_type == DeviceType.CPU
        ? KernelSupport.CanTake(x) && x.size(0) * weight.size(0) >= KernelSupport.LeastElements
        : precision == Precision.Bfloat16;

    protected override Tensor[] Compute(LinearSettings settings, Tensor?[] inputs, List<Tensor?>? saved)
    {
        var (precision, stored) = settings;
        if (stored is not null)
        {
            using var factor_IO = stored.Factor(precision);
            return [Product(inputs[0]!, factor_IO, precision, inputs[2])];
        }
        var x = precision == Precision.Float32 ? inputs[0]! : In16Bits(inputs[0]!);
        // The CPU's memory is dearer than the time of a second conversion.
        var weight_IO = inputs[1]!.device_type == DeviceType.CPU ? inputs[1]! : In16Bits(inputs[1]!);
        // Only the weight's gradient needs x.
        saved?.AddRange([inputs[1]!.requires_grad ? x : null, weight_IO]);
        return [Product(x, weight_IO, precision, inputs[2])];
    }

    protected override Tensor?[] Gradients(
        LinearSettings settings, IReadOnlyList<Tensor?> saved, Tensor?[] gradients, bool[] needed)
    {
        var (precision, stored) = settings;
        var gradient = gradients[0]!;
        if (stored is not null)
            return [needed[0] ? InputGradient(gradient, stored, precision) : null, null, needed[2] ? gradient.sum(dim: 0) : null];
        var weight_IO = saved[1]!;
        var factor = precision == Precision.Float32 ? gradient : In16Bits(gradient);
        return
        [
            needed[0] ? Product(factor, weight_IO.t(), precision) : null,
            needed[1] ? WeightGradient(saved[0]!, factor, weight_IO, precision) : null,
            needed[2] ? gradient.sum(dim: 0) : null,
        ];
    }

    private static Tensor InputGradient(Tensor gradient, StoredMatrix stored, Precision precision)
    {
        using var factor_IO = stored.Factor(precision);
        using var factor_OI = factor_IO.t();
        return Product(gradient, factor_OI, precision);
    }

    /// <summary>The gradient [I, O] of the transposed weight, in the layout of that.</summary>
    public static Tensor WeightGradient(Tensor x, Tensor gradient, Tensor weight_IO, Precision precision) =>
        weight_IO.is_contiguous() ? Product(x.t(), gradient, precision) : Product(gradient.t(), x, precision).t();

    /// <summary>The product of two matrices, of any of the two types, and a bias [columns] in float32; in float32.</summary>
    public static Tensor Product(Tensor left, Tensor right, Precision precision, Tensor? bias = null)
    {
        if (precision == Precision.Bfloat16)
            return ProductInBfloat16(left, right, bias);
        if (left.device_type != DeviceType.CPU)
        {
            var product = left.mm(right);
            return bias is null ? product : product.add_(bias);
        }
        var result = TensorMemory.Empty(left.size(0), right.size(1));
        // Not in the layer's dispose scope: a stored weight's numbers would stay with it.
        using var transposed = right.t();
        var call = bias is null
            ? new OperatorCall("aten::mm", "out").Tensor(left).Tensor(right)
            : new OperatorCall("aten::linear", "out").Tensor(left).Tensor(transposed).OptionalTensor(bias);
        call.Tensor(result).Call(1)[0].Dispose();
        return result;
    }

    private static Tensor ProductInBfloat16(Tensor left, Tensor right, Tensor? bias)
    {
        using var scope = NewDisposeScope();
        var product = left.device_type switch
        {
            DeviceType.CPU => OnCpu(In16Bits(left), In16Bits(right)),
            // It sums in float32, and writes that.
            DeviceType.CUDA => new OperatorCall("aten::mm", "dtype").Tensor(In16Bits(left)).Tensor(In16Bits(right))
                .Type(ScalarType.Float32).Call(1)[0],
            _ => In16Bits(left).mm(In16Bits(right)).to(float32),
        };
        return (bias is null ? product : product.add_(bias)).MoveToOuterDisposeScope();

        static Tensor OnCpu(Tensor left, Tensor right)
        {
            var result = TensorMemory.Empty(ScalarType.BFloat16, left.size(0), right.size(1));
            new OperatorCall("aten::mm", "out").Tensor(left).Tensor(right).Tensor(result).Call(1);
            return TensorMemory.Converted(result);
        }
    }

    /// <summary>In the layout that it has, so that a transposed weight is read as it lies.</summary>
    public static Tensor In16Bits(Tensor factor) => factor.dtype == ScalarType.BFloat16 ? factor
        : factor.device_type != DeviceType.CPU ? factor.to(bfloat16)
        : factor.is_contiguous() ? TensorMemory.Converted(factor) : TensorMemory.Converted(factor.t()).t();
}
