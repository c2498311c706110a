using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace RewardModel.Kernels;

/// <summary>What <see cref="RmsNormKernel"/> is told beside tensors.</summary>
/// <param name="Epsilon">Added to the mean of squares.</param>
/// <param name="Offset">Added to the weight.</param>
/// <param name="Forks">Whether x is a second result: see <see cref="Layers.Fork"/>.</param>
internal sealed record RmsNormSettings(double Epsilon, double Offset, bool Forks);

/// <summary>
/// x / sqrt(mean(x^2) + epsilon) * (weight + offset) over the last dimension, in one pass over memory: x [..., D] and weight [D], float32 on
/// the CPU.
/// </summary>
internal sealed unsafe class RmsNormKernel : Kernel<RmsNormKernel, RmsNormSettings>
{
    protected override Tensor[] Compute(RmsNormSettings settings, Tensor?[] inputs, List<Tensor?>? saved)
    {
        Tensor x = inputs[0]!.contiguous(), weight = inputs[1]!.contiguous();
        var size = (int)weight.size(0);
        var rows = x.numel() / size;
        var result = TensorMemory.Empty(x.shape);
        var inverse = empty(rows);
        float* xData = (float*)LibTorch.DataOf(x), weightData = (float*)LibTorch.DataOf(weight);
        float* resultData = (float*)LibTorch.DataOf(result), inverseData = (float*)LibTorch.DataOf(inverse);
        var (offset, epsilon) = ((float)settings.Offset, (float)settings.Epsilon);
        TorchThreads.RunRows(rows, (_, first, end) =>
        {
            for (var row = first; row < end; row++)
                inverseData[row] = LaneWidth.Bits switch
                {
                    512 => Row<Lanes512>(xData + row * size, weightData, offset, epsilon, size, resultData + row * size),
                    256 => Row<Lanes256>(xData + row * size, weightData, offset, epsilon, size, resultData + row * size),
                    _ => Row<Lanes128>(xData + row * size, weightData, offset, epsilon, size, resultData + row * size),
                };
        });
        saved?.AddRange([x, weight, inverse]);
        return settings.Forks ? [result, inputs[0]!.detach()] : [result];
    }

    protected override Tensor?[] Gradients(RmsNormSettings settings, IReadOnlyList<Tensor?> saved, Tensor?[] gradients, bool[] needed)
    {
        Tensor x = saved[0]!, weight = saved[1]!, inverse = saved[2]!;
        // Either of two results may have been used alone.
        var gradient = gradients[0]?.contiguous() ?? zeros(x.shape);
        var passed = settings.Forks && gradients[1] is { } given ? given.contiguous() : null;
        var (size, rows, offset) = ((int)weight.size(0), inverse.size(0), (float)settings.Offset);
        var dx = TensorMemory.Empty(x.shape);
        var dWeights = zeros((rows + TorchThreads.RowsPerTask - 1) / TorchThreads.RowsPerTask, size);
        float* xData = (float*)LibTorch.DataOf(x), weightData = (float*)LibTorch.DataOf(weight);
        float* inverseData = (float*)LibTorch.DataOf(inverse), gradientData = (float*)LibTorch.DataOf(gradient);
        var passedData = passed is null ? null : (float*)LibTorch.DataOf(passed);
        float* dxData = (float*)LibTorch.DataOf(dx), dWeightData = (float*)LibTorch.DataOf(dWeights);
        TorchThreads.RunRows(rows, (task, first, end) =>
        {
            var dWeight = dWeightData + (nint)task * size;
            for (var row = first; row < end; row++)
            {
                var at = row * size;
                var ofPassed = passedData == null ? null : passedData + at;
                switch (LaneWidth.Bits)
                {
                    case 512:
                        RowGradient<Lanes512>(
                            xData + at, weightData, offset, inverseData[row], gradientData + at, ofPassed, size, dxData + at, dWeight);
                        break;
                    case 256:
                        RowGradient<Lanes256>(
                            xData + at, weightData, offset, inverseData[row], gradientData + at, ofPassed, size, dxData + at, dWeight);
                        break;
                    default:
                        RowGradient<Lanes128>(
                            xData + at, weightData, offset, inverseData[row], gradientData + at, ofPassed, size, dxData + at, dWeight);
                        break;
                }
            }
        });
        return [dx, dWeights.sum(dim: 0)];
    }

    /// <summary>Returns 1 / sqrt(mean(x^2) + epsilon).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Row<TLanes>(float* x, float* weight, float offset, float epsilon, int size, float* result)
        where TLanes : struct, ILanes<TLanes>
    {
        var squares = TLanes.Of(0);
        var i = 0;
        for (; i <= size - TLanes.Count; i += TLanes.Count)
        {
            var values = TLanes.Load(x + i);
            squares = TLanes.MultiplyAdd(values, values, squares);
        }
        var sum = squares.Sum();
        for (; i < size; i++)
            sum += x[i] * x[i];
        var inverse = 1 / MathF.Sqrt(sum / size + epsilon);
        for (i = 0; i <= size - TLanes.Count; i += TLanes.Count)
            (TLanes.Load(x + i) * TLanes.Of(inverse) * (TLanes.Load(weight + i) + TLanes.Of(offset))).Store(result + i);
        for (; i < size; i++)
            result[i] = x[i] * inverse * (weight[i] + offset);
        return inverse;
    }

    /// <summary>With h = x * inverse and s = gradient * (weight + offset): dx = inverse (s - h mean(s h)) + passed, dWeight += gradient * h.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RowGradient<TLanes>(
        float* x, float* weight, float offset, float inverse, float* gradient, float* passed, int size, float* dx, float* dWeight)
        where TLanes : struct, ILanes<TLanes>
    {
        var products = TLanes.Of(0);
        var i = 0;
        for (; i <= size - TLanes.Count; i += TLanes.Count)
            products = TLanes.MultiplyAdd(
                TLanes.Load(gradient + i) * (TLanes.Load(weight + i) + TLanes.Of(offset)), TLanes.Load(x + i), products);
        var product = products.Sum();
        for (; i < size; i++)
            product += gradient[i] * (weight[i] + offset) * x[i];
        var share = product / size * inverse * inverse * inverse;
        for (i = 0; i <= size - TLanes.Count; i += TLanes.Count)
        {
            TLanes values = TLanes.Load(x + i), gradients = TLanes.Load(gradient + i) * TLanes.Of(inverse);
            var ofX = gradients * (TLanes.Load(weight + i) + TLanes.Of(offset)) - values * TLanes.Of(share);
            (passed == null ? ofX : ofX + TLanes.Load(passed + i)).Store(dx + i);
            TLanes.MultiplyAdd(gradients, values, TLanes.Load(dWeight + i)).Store(dWeight + i);
        }
        for (; i < size; i++)
        {
            dx[i] = gradient[i] * (weight[i] + offset) * inverse - x[i] * share + (passed == null ? 0 : passed[i]);
            dWeight[i] += gradient[i] * x[i] * inverse;
        }
    }
}
