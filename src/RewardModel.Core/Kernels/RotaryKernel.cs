using System.Runtime.CompilerServices;
using TorchSharp;
using static TorchSharp.torch;

namespace RewardModel.Kernels;

/// <summary>Which of a head's R rotated channels are turned together.</summary>
internal enum RotaryPairs
{
    /// <summary>i and i + R / 2.</summary>
    Halves,

    /// <summary>2 i and 2 i + 1.</summary>
    Neighbours,
}

/// <summary>
/// Rotary positions: turns the first R channels of every head in pairs, and leaves the others. x [T, N, H], cos and sin [T, 1, R / 2], which get
/// no gradient; float32.
/// </summary>
internal sealed unsafe class RotaryKernel : Kernel<RotaryKernel, RotaryPairs>
{
    protected override Tensor[] Compute(RotaryPairs settings, Tensor?[] inputs, List<Tensor?>? saved)
    {
        Tensor cos = inputs[1]!.contiguous(), sin = inputs[2]!.contiguous();
        saved?.AddRange([cos, sin]);
        return [Rotated(settings, inputs[0]!, cos, sin, sign: 1)];
    }

    protected override Tensor?[] Gradients(RotaryPairs settings, IReadOnlyList<Tensor?> saved, Tensor?[] gradients, bool[] needed) =>
        [Rotated(settings, gradients[0]!, saved[0]!, saved[1]!, sign: -1), null, null];

    /// <summary>The channels that are turned first and second, [T, N, R / 2] each: views of all.</summary>
    /// <param name="pairs">Which.</param>
    /// <param name="x">[T, N, H].</param>
    /// <param name="half">R / 2.</param>
    public static (Tensor First, Tensor Second) Split(RotaryPairs pairs, Tensor x, long half) => pairs == RotaryPairs.Halves
        ? (x.narrow(2, 0, half), x.narrow(2, half, half))
        : (x.slice(2, 0, 2 * half, 2), x.slice(2, 1, 2 * half, 2));

    private static Tensor Rotated(RotaryPairs pairs, Tensor given, Tensor cos, Tensor sin, float sign)
    {
        if (given.device_type != DeviceType.CPU)
            return ByOperators(pairs, given, cos, sin, sign);
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
                    if (pairs == RotaryPairs.Neighbours)
                    {
                        RotateNeighbours(source, cosData + row * half, sinData + row * half, sign, half, size, target);
                        continue;
                    }
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
    internal static Tensor ByOperators(RotaryPairs pairs, Tensor x, Tensor cos, Tensor sin, double sign)
    {
        using var scope = NewDisposeScope();
        var (half, size) = (cos.size(2), x.size(2));
        var result = empty(x.shape, x.dtype, x.device);
        var (first, second) = Split(pairs, x, half);
        var (firstResult, secondResult) = Split(pairs, result, half);
        Turn(first, second, -sign, firstResult);
        Turn(second, first, sign, secondResult);
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

    /// <summary>The same of neighbours.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RotateNeighbours(float* x, float* cos, float* sin, float sign, int half, int size, float* result)
    {
        for (var i = 0; i < half; i++)
        {
            float first = x[2 * i], second = x[2 * i + 1], turn = sign * sin[i];
            result[2 * i] = first * cos[i] - second * turn;
            result[2 * i + 1] = second * cos[i] + first * turn;
        }
        for (var i = 2 * half; i < size; i++)
            result[i] = x[i];
    }
}
