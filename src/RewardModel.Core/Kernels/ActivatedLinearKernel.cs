using System.Runtime.CompilerServices;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace RewardModel.Kernels;

/// <summary>The pointwise functions f of <see cref="ActivatedLinearKernel"/>.</summary>
internal enum KernelActivation
{
    /// <summary>x P(X up to x), X normally distributed.</summary>
    Gelu,

    /// <summary>0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))).</summary>
    GeluTanh,

    /// <summary>x / (1 + e^-x).</summary>
    Silu,

    /// <summary>max(x, 0)^2.</summary>
    SquaredRelu,
}

/// <summary>What <see cref="ActivatedLinearKernel"/> is told beside tensors.</summary>
/// <param name="Activation">f.</param>
/// <param name="Precision">The type that the product takes.</param>
/// <param name="Stored">The weight, as for <see cref="LinearKernel"/>.</param>
internal sealed record ActivatedLinearSettings(KernelActivation Activation, Precision Precision, StoredMatrix? Stored = null);

/// <summary>
/// A linear layer behind a pointwise function: f(x) W^T + b, or (f(x) * up) W^T + b; the second half of an MLP, and all of a gated one but
/// two products. Autograd would keep both what the function takes and what it gives, each as wide as the MLP; the second is cheap to
/// compute again. x and up [T, I], b [O], and W given as its transpose [I, O], a view, as for <see cref="LinearKernel"/>; float32 on any
/// device.
/// </summary>
internal sealed unsafe class ActivatedLinearKernel : Kernel<ActivatedLinearKernel, ActivatedLinearSettings>
{
    protected override Tensor[] Compute(ActivatedLinearSettings settings, Tensor?[] inputs, List<Tensor?>? saved)
    {
        var x = WithDenseRows(inputs[0]!);
        Tensor? up = inputs[1] is null ? null : WithDenseRows(inputs[1]!), weight_IO = inputs[2], bias = inputs[3];
        saved?.AddRange([x, up, weight_IO]);
        using var value = Value(settings, x, up);
        using var factor_IO = settings.Stored?.Factor(settings.Precision);
        return [LinearKernel.Product(value, factor_IO ?? weight_IO!, settings.Precision, bias)];
    }

    protected override Tensor?[] Gradients(
        ActivatedLinearSettings settings, IReadOnlyList<Tensor?> saved, Tensor?[] gradients, bool[] needed)
    {
        Tensor x = saved[0]!, gradient = gradients[0]!;
        Tensor? up = saved[1], weight_IO = saved[2];
        var precision = settings.Precision;
        // What several products take is converted once.
        var factor = precision == Precision.Bfloat16 ? LinearKernel.In16Bits(gradient) : gradient;
        Tensor? value = null, dx = null, dUp = null, dWeight = null;
        if (needed[0] || needed[1])
            (value, dx, dUp) = ValueAndGradients(settings, x, up, ValueGradient(settings, factor, weight_IO));
        else if (needed[2])
            value = Value(settings, x, up);
        if (needed[2])
            dWeight = LinearKernel.WeightGradient(value!, factor, weight_IO!, precision);
        return [dx, dUp, dWeight, needed[3] ? gradient.sum(dim: 0) : null];
    }

    /// <summary>The gradient of what the product takes.</summary>
    private static Tensor ValueGradient(ActivatedLinearSettings settings, Tensor gradient, Tensor? weight_IO)
    {
        using var factor_IO = settings.Stored?.Factor(settings.Precision);
        using var weight_OI = (factor_IO ?? weight_IO!).t();
        return LinearKernel.Product(gradient, weight_OI, settings.Precision);
    }

    /// <summary>Rows of numbers side by side, wherever the rows lie.</summary>
    private static Tensor WithDenseRows(Tensor x_TI) => x_TI.stride(1) == 1 ? x_TI : x_TI.contiguous();

    /// <summary>Whether it is computed here, by sigmoids: x sigmoid(u(x)).</summary>
    public static bool IsByRows(KernelActivation activation, Tensor x) =>
        x.device_type == DeviceType.CPU && activation is KernelActivation.GeluTanh or KernelActivation.Silu;

    /// <summary>f(x), or f(x) * up; both with their numbers of a row side by side.</summary>
    public static Tensor Value(ActivatedLinearSettings settings, Tensor x, Tensor? up)
    {
        var activation = settings.Activation;
        if (!IsByRows(activation, x))
        {
            var plain = Of(activation, x);
            return up is null ? plain : Gated(plain, up, settings.Precision);
        }
        var result = TensorMemory.Empty(x.shape);
        var size = (int)x.size(1);
        Rows xRows = new(x), upRows = new(up), resultRows = new(result);
        TorchThreads.RunRows(x.size(0), (_, first, end) =>
        {
            for (var row = first; row < end; row++)
                Dispatch(activation, xRows.At(row), upRows.At(row), size, resultRows.At(row), null, null);
        });
        return result;
    }

    /// <summary>f(x) * up, and the gradients of x and up. Overwrites the gradient of the first.</summary>
    private static (Tensor Value, Tensor Dx, Tensor? DUp) ValueAndGradients(
        ActivatedLinearSettings settings, Tensor x, Tensor? up, Tensor gradient)
    {
        var activation = settings.Activation;
        if (!IsByRows(activation, x))
            return ByOperators(settings, x, up, gradient);
        var dx = TensorMemory.Empty(x.shape);
        var dUp = up is null ? null : TensorMemory.Empty(x.shape);
        var size = (int)x.size(1);
        Rows xRows = new(x), upRows = new(up), gradientRows = new(gradient), dxRows = new(dx), dUpRows = new(dUp);
        TorchThreads.RunRows(x.size(0), (_, first, end) =>
        {
            for (var row = first; row < end; row++)
                Dispatch(activation, xRows.At(row), upRows.At(row), size, gradientRows.At(row), dxRows.At(row), dUpRows.At(row));
        });
        return (gradient, dx, dUp);
    }

    private static (Tensor Value, Tensor Dx, Tensor? DUp) ByOperators(
        ActivatedLinearSettings settings, Tensor x, Tensor? up, Tensor gradient)
    {
        var activated = Of(settings.Activation, x);
        if (up is null)
            return (activated, GradientOf(settings.Activation, x, gradient), null);
        var dx = GradientOf(settings.Activation, x, gradient.mul(up));
        return (Gated(activated, up, settings.Precision), dx, gradient.mul_(activated));
    }

    /// <summary>f(x) * up; on a GPU at once in the type that the product takes.</summary>
    private static Tensor Gated(Tensor activated, Tensor up, Precision precision)
    {
        if (precision == Precision.Float32 || up.device_type != DeviceType.CUDA)
            return activated.mul(up);
        var result = empty(up.shape, bfloat16, up.device);
        new OperatorCall("aten::mul", "out").Tensor(activated).Tensor(up).Tensor(result).Call(1)[0].Dispose();
        return result;
    }

    private static Tensor GradientOf(KernelActivation activation, Tensor x, Tensor gradient) => activation switch
    {
        KernelActivation.Silu => new OperatorCall("aten::silu_backward").Tensor(gradient).Tensor(x).Call(1)[0],
        KernelActivation.Gelu => new OperatorCall("aten::gelu_backward").Tensor(gradient).Tensor(x).Text("none").Call(1)[0],
        KernelActivation.GeluTanh => new OperatorCall("aten::gelu_backward").Tensor(gradient).Tensor(x).Text("tanh").Call(1)[0],
        KernelActivation.SquaredRelu => x.relu().mul_(gradient).mul_(2),
        _ => throw new ArgumentOutOfRangeException(nameof(activation), activation, "expected one of four functions"),
    };

    private static Tensor Of(KernelActivation activation, Tensor x) => activation switch
    {
        KernelActivation.Gelu => x.gelu(),
        KernelActivation.GeluTanh => x.gelu(GELU.Approximate.tanh),
        KernelActivation.Silu => x.silu(),
        KernelActivation.SquaredRelu => x.relu().pow_(2),
        _ => throw new ArgumentOutOfRangeException(nameof(activation), activation, "expected one of four functions"),
    };

    /// <summary>A row of values, or with dx of values over the gradients that are there and of the two gradients.</summary>
    private static void Dispatch(KernelActivation activation, float* x, float* up, int size, float* value, float* dx, float* dUp)
    {
        switch (LaneWidth.Bits, activation)
        {
            case (512, KernelActivation.Silu):
                Row<Lanes512, Silu>(x, up, size, value, dx, dUp);
                break;
            case (256, KernelActivation.Silu):
                Row<Lanes256, Silu>(x, up, size, value, dx, dUp);
                break;
            case (_, KernelActivation.Silu):
                Row<Lanes128, Silu>(x, up, size, value, dx, dUp);
                break;
            case (512, _):
                Row<Lanes512, GeluTanh>(x, up, size, value, dx, dUp);
                break;
            case (256, _):
                Row<Lanes256, GeluTanh>(x, up, size, value, dx, dUp);
                break;
            default:
                Row<Lanes128, GeluTanh>(x, up, size, value, dx, dUp);
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Row<TLanes, TFunction>(float* x, float* up, int size, float* value, float* dx, float* dUp)
        where TLanes : struct, ILanes<TLanes>
        where TFunction : struct, IGatedFunction
    {
        var i = 0;
        for (; i <= size - TLanes.Count; i += TLanes.Count)
            Vector<TLanes, TFunction>(x, up, i, value, dx, dUp);
        if (i == size)
            return;
        // The rest, in whole vectors of copies.
        var rest = size - i;
        var copies = stackalloc float[5 * TLanes.Count];
        float* xCopy = copies, upCopy = copies + TLanes.Count, valueCopy = upCopy + TLanes.Count;
        float* dxCopy = valueCopy + TLanes.Count, dUpCopy = dxCopy + TLanes.Count;
        for (var j = 0; j < rest; j++)
            (xCopy[j], upCopy[j], valueCopy[j]) = (x[i + j], up == null ? 0 : up[i + j], dx == null ? 0 : value[i + j]);
        Vector<TLanes, TFunction>(xCopy, up == null ? null : upCopy, 0, valueCopy, dx == null ? null : dxCopy, dUp == null ? null : dUpCopy);
        for (var j = 0; j < rest; j++)
        {
            value[i + j] = valueCopy[j];
            if (dx != null)
                dx[i + j] = dxCopy[j];
            if (dUp != null)
                dUp[i + j] = dUpCopy[j];
        }
    }

    /// <summary>
    /// f(x) = x s with s = sigmoid(u(x)), whose slope is s (1 - s) u'(x). Where s is 0 no other factor may have become infinite before.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Vector<TLanes, TFunction>(float* x, float* up, int i, float* value, float* dx, float* dUp)
        where TLanes : struct, ILanes<TLanes>
        where TFunction : struct, IGatedFunction
    {
        var input = TLanes.Load(x + i);
        var share = VectorMath.Sigmoid(TFunction.Inner(input));
        var result = input * share;
        if (dx != null)
        {
            var gradient = TLanes.Load(value + i);
            var slope = share + result * (TLanes.Of(1) - share) * TFunction.Slope(input);
            if (up != null)
            {
                (gradient * result).Store(dUp + i);
                gradient *= TLanes.Load(up + i);
            }
            (gradient * slope).Store(dx + i);
        }
        (up == null ? result : result * TLanes.Load(up + i)).Store(value + i);
    }

    /// <summary>u of x sigmoid(u(x)).</summary>
    private interface IGatedFunction
    {
        static abstract TLanes Inner<TLanes>(TLanes x) where TLanes : struct, ILanes<TLanes>;

        static abstract TLanes Slope<TLanes>(TLanes x) where TLanes : struct, ILanes<TLanes>;
    }

    private readonly struct Silu : IGatedFunction
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TLanes Inner<TLanes>(TLanes x) where TLanes : struct, ILanes<TLanes> => x;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TLanes Slope<TLanes>(TLanes x) where TLanes : struct, ILanes<TLanes> => TLanes.Of(1);
    }

    /// <summary>0.5 (1 + tanh(v)) = sigmoid(2 v), with v = sqrt(2 / pi) (x + 0.044715 x^3).</summary>
    private readonly struct GeluTanh : IGatedFunction
    {
        private const float twiceRoot = 1.5957691216057308f, cubic = 0.044715f;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TLanes Inner<TLanes>(TLanes x) where TLanes : struct, ILanes<TLanes> =>
            TLanes.Of(twiceRoot) * x * TLanes.MultiplyAdd(TLanes.Of(cubic) * x, x, TLanes.Of(1));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TLanes Slope<TLanes>(TLanes x) where TLanes : struct, ILanes<TLanes> =>
            TLanes.Of(twiceRoot) * TLanes.MultiplyAdd(TLanes.Of(3 * cubic) * x, x, TLanes.Of(1));
    }

    /// <summary>The rows of a tensor [T, I], or of none.</summary>
    private readonly struct Rows(Tensor? tensor)
    {
        private readonly float* data = tensor is null ? null : (float*)LibTorch.DataOf(tensor);
        private readonly nint stride = tensor is null ? 0 : (nint)tensor.stride(0);

        public float* At(long row) => data == null ? null : data + (nint)row * stride;
    }
}
