using System.Runtime.CompilerServices;
using TorchSharp;
using static TorchSharp.torch;

namespace RewardModel.Kernels;

/// <summary>
/// Rotary positions: turns channel i of every head together with channel i + R / 2, for i below R / 2, and leaves channels from R on. x
/// [T, N, H], cos and sin [T, 1, R / 2], which get no gradient; float32.
/// </summary>
internal sealed unsafe class RotaryKernel : Kernel<RotaryKernel, ValueTuple>
{
    protected override Tensor[] Compute(ValueTuple settings, Tensor?[] inputs, List<Tensor?>? saved)
    {
        Tensor cos = inputs[1]!.contiguous(), sin = inputs[2]!.contiguous();
        saved?.AddRange([cos, sin]);
        return [Rotated(inputs[0]!, cos, sin, sign: 1)];
    }

    protected override Tensor?[] Gradients(ValueTuple settings, IReadOnlyList<Tensor?> saved, Tensor?[] gradients, bool[] needed) =>
        [Rotated(gradients[0]!, saved[0]!, saved[1]!, sign: -1), null, null];

    private static Tensor Rotated(Tensor given, Tensor cos, Tensor sin, float sign)
    {
        if (given.device_type != DeviceType.CPU)
            return ByOperators(given, cos, sin, sign);
        var x = given.stride(2) == 1 ? given : given.contiguous();
        var result = TensorMemory.Empty(x.shape);
        var (heads, size, half) = ((int)x.size(1), (int)x.size(2), (int)cos.size(2));
        nint rowStride = (nint)x.stride(0), headStride = (nint)x.stride(1);
        float* xData = (float*)LibTorch.DataOf(x), cosData = (float*)LibTorch.DataOf(cos), sinData = (float*)LibTorch.DataOf(sin);
        var resultData = (float*)LibTorch.DataOf(result);
        TorchThreads.RunRows(x.size(0), (_, first, end) =>
        {
            for (var row = first; row < end; row++)
                for (var head = 0; head < heads; head++)
                {
                    float* source = xData + row * rowStride + head * headStride, target = resultData + (row * heads + head) * size;
                    switch (Math.Min(LaneWidth.Bits, half >= 16 ? 512 : half >= 8 ? 256 : 128))
                    {
                        case 512:
                            Rotate<Lanes512>(source, cosData + row * half, sinData + row * half, sign, half, size, target);
                            break;
                        case 256:
                            Rotate<Lanes256>(source, cosData + row * half, sinData + row * half, sign, half, size, target);
                            break;
                        default:
                            Rotate<Lanes128>(source, cosData + row * half, sinData + row * half, sign, half, size, target);
                            break;
                    }
                }
        });
        return result;
    }

    /// <summary>On other devices, into one result: autograd would make a tensor of each half, and of each half's gradient.</summary>
    internal static Tensor ByOperators(Tensor x, Tensor cos, Tensor sin, double sign)
    {
        using var scope = NewDisposeScope();
        var (half, size) = (cos.size(2), x.size(2));
        var result = empty(x.shape, x.dtype, x.device);
        Tensor first = x.narrow(2, 0, half), second = x.narrow(2, half, half);
        Turn(first, second, -sign, result.narrow(2, 0, half));
        Turn(second, first, sign, result.narrow(2, half, half));
        if (size > 2 * half)
            result.narrow(2, 2 * half, size - 2 * half).copy_(x.narrow(2, 2 * half, size - 2 * half));
        return result.MoveToOuterDisposeScope();

        void Turn(Tensor own, Tensor other, double factor, Tensor target)
        {
            new OperatorCall("aten::mul", "out").Tensor(own).Tensor(cos).Tensor(target).Call(1);
            target.addcmul_(other, sin, factor);
        }
    }

    /// <summary>One head of one token; sign 1 turns it forward, -1 back.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rotate<TLanes>(float* x, float* cos, float* sin, float sign, int half, int size, float* result)
        where TLanes : struct, ILanes<TLanes>
    {
        var i = 0;
        for (; i <= half - TLanes.Count; i += TLanes.Count)
        {
            TLanes first = TLanes.Load(x + i), second = TLanes.Load(x + half + i);
            TLanes factor = TLanes.Load(cos + i), turn = TLanes.Load(sin + i) * TLanes.Of(sign);
            (first * factor - second * turn).Store(result + i);
            (second * factor + first * turn).Store(result + half + i);
        }
        for (; i < half; i++)
        {
            float first = x[i], second = x[half + i], turn = sign * sin[i];
            result[i] = first * cos[i] - second * turn;
            result[half + i] = second * cos[i] + first * turn;
        }
        for (i = 2 * half; i < size; i++)
            result[i] = x[i];
    }
}
