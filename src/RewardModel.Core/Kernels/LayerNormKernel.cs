using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace RewardModel.Kernels;

/// <summary>What <see cref="LayerNormKernel"/> is told beside tensors.</summary>
/// <param name="Epsilon">Added to the variance.</param>
/// <param name="Forks">Whether x is a second result: see <see cref="Layers.Fork"/>.</param>
internal sealed record LayerNormSettings(double Epsilon, bool Forks);

/// <summary>
/// (x - mean(x)) / sqrt(variance(x) + epsilon) * weight + bias over the last dimension of x [T, D]; weight and bias [D] may be absent.
/// Float32 on the CPU, results and gradients in <see cref="TensorMemory"/>.
/// </summary>
internal sealed unsafe class LayerNormKernel : Kernel<LayerNormKernel, LayerNormSettings>
{
    /// <summary>Whether it is worth it: for small tensors a node of our own costs more than it saves.</summary>
    public static bool CanTake(Tensor x) => x.dim() == 2 && KernelSupport.CanTake(x) && x.numel() >= KernelSupport.LeastElements;

    protected override Tensor[] Compute(LayerNormSettings settings, Tensor?[] inputs, List<Tensor?>? saved)
    {
        var x = inputs[0]!.contiguous();
        Tensor? weight = inputs[1]?.contiguous(), bias = inputs[2]?.contiguous();
        var size = (int)x.size(1);
        var result = TensorMemory.Empty(x.shape);
        // Of each row the mean and the inverse of the deviation.
        var moments = empty(x.size(0), 2);
        float* xData = (float*)LibTorch.DataOf(x), resultData = (float*)LibTorch.DataOf(result), momentData = (float*)LibTorch.DataOf(moments);
        float* weightData = DataOrNull(weight), biasData = DataOrNull(bias);
        TorchThreads.RunRows(x.size(0), (_, first, end) =>
        {
            for (var row = first; row < end; row++)
            {
                float* source = xData + row * size, target = resultData + row * size, ofRow = momentData + 2 * row;
                switch (LaneWidth.Bits)
                {
                    case 512:
                        Row<Lanes512>(source, weightData, biasData, (float)settings.Epsilon, size, target, ofRow);
                        break;
                    case 256:
                        Row<Lanes256>(source, weightData, biasData, (float)settings.Epsilon, size, target, ofRow);
                        break;
                    default:
                        Row<Lanes128>(source, weightData, biasData, (float)settings.Epsilon, size, target, ofRow);
                        break;
                }
            }
        });
        saved?.AddRange([x, weight, moments]);
        return settings.Forks ? [result, inputs[0]!.detach()] : [result];
    }

    protected override Tensor?[] Gradients(LayerNormSettings settings, IReadOnlyList<Tensor?> saved, Tensor?[] gradients, bool[] needed)
    {
        Tensor x = saved[0]!, moments = saved[2]!;
        // Either of two results may have been used alone.
        var gradient = gradients[0]?.contiguous() ?? zeros(x.shape);
        var passed = settings.Forks && gradients[1] is { } given ? given.contiguous() : null;
        var size = (int)x.size(1);
        var dx = TensorMemory.Empty(x.shape);
        // Of each task the sums for weight and bias.
        var sums = zeros((x.size(0) + TorchThreads.RowsPerTask - 1) / TorchThreads.RowsPerTask, 2, size);
        float* xData = (float*)LibTorch.DataOf(x), momentData = (float*)LibTorch.DataOf(moments), weightData = DataOrNull(saved[1]);
        float* gradientData = (float*)LibTorch.DataOf(gradient), dxData = (float*)LibTorch.DataOf(dx), sumData = (float*)LibTorch.DataOf(sums);
        var passedData = passed is null ? null : (float*)LibTorch.DataOf(passed);
        TorchThreads.RunRows(x.size(0), (task, first, end) =>
        {
            var ofTask = sumData + (nint)task * 2 * size;
            for (var row = first; row < end; row++)
            {
                float* source = xData + row * size, ofGradient = gradientData + row * size, target = dxData + row * size;
                var ofPassed = passedData == null ? null : passedData + row * size;
                switch (LaneWidth.Bits)
                {
                    case 512:
                        RowGradient<Lanes512>(source, weightData, momentData + 2 * row, ofGradient, ofPassed, size, target, ofTask);
                        break;
                    case 256:
                        RowGradient<Lanes256>(source, weightData, momentData + 2 * row, ofGradient, ofPassed, size, target, ofTask);
                        break;
                    default:
                        RowGradient<Lanes128>(source, weightData, momentData + 2 * row, ofGradient, ofPassed, size, target, ofTask);
                        break;
                }
            }
        });
        var total = sums.sum(dim: 0);
        return [dx, needed[1] ? total[0] : null, needed[2] ? total[1] : null];
    }

    private static float* DataOrNull(Tensor? tensor) => tensor is null ? null : (float*)LibTorch.DataOf(tensor);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Row<TLanes>(float* x, float* weight, float* bias, float epsilon, int size, float* result, float* moments)
        where TLanes : struct, ILanes<TLanes>
    {
        var whole = size - size % TLanes.Count;
        var sums = TLanes.Of(0);
        for (var i = 0; i < whole; i += TLanes.Count)
            sums += TLanes.Load(x + i);
        var sum = sums.Sum();
        for (var i = whole; i < size; i++)
            sum += x[i];
        var mean = sum / size;
        var squares = TLanes.Of(0);
        for (var i = 0; i < whole; i += TLanes.Count)
        {
            var distance = TLanes.Load(x + i) - TLanes.Of(mean);
            squares = TLanes.MultiplyAdd(distance, distance, squares);
        }
        var square = squares.Sum();
        for (var i = whole; i < size; i++)
            square += (x[i] - mean) * (x[i] - mean);
        var inverse = 1 / MathF.Sqrt(square / size + epsilon);
        for (var i = 0; i < whole; i += TLanes.Count)
        {
            var value = (TLanes.Load(x + i) - TLanes.Of(mean)) * TLanes.Of(inverse);
            value = weight == null ? value : value * TLanes.Load(weight + i);
            (bias == null ? value : value + TLanes.Load(bias + i)).Store(result + i);
        }
        for (var i = whole; i < size; i++)
            result[i] = (x[i] - mean) * inverse * (weight == null ? 1 : weight[i]) + (bias == null ? 0 : bias[i]);
        (moments[0], moments[1]) = (mean, inverse);
    }

    /// <summary>
    /// With h = (x - mean) * inverse and s = gradient * weight: dx = inverse (s - mean(s) - h mean(s h)) + passed, dWeight += gradient * h,
    /// dBias += gradient.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RowGradient<TLanes>(
        float* x, float* weight, float* moments, float* gradient, float* passed, int size, float* dx, float* dWeightAndBias)
        where TLanes : struct, ILanes<TLanes>
    {
        var (mean, inverse) = (moments[0], moments[1]);
        float* dWeight = dWeightAndBias, dBias = dWeightAndBias + size;
        var whole = size - size % TLanes.Count;
        TLanes sums = TLanes.Of(0), products = TLanes.Of(0), one = TLanes.Of(1);
        for (var i = 0; i < whole; i += TLanes.Count)
        {
            var h = (TLanes.Load(x + i) - TLanes.Of(mean)) * TLanes.Of(inverse);
            var g = TLanes.Load(gradient + i);
            var s = g * (weight == null ? one : TLanes.Load(weight + i));
            sums += s;
            products = TLanes.MultiplyAdd(s, h, products);
            TLanes.MultiplyAdd(g, h, TLanes.Load(dWeight + i)).Store(dWeight + i);
            (TLanes.Load(dBias + i) + g).Store(dBias + i);
        }
        float sum = sums.Sum(), product = products.Sum();
        for (var i = whole; i < size; i++)
        {
            float h = (x[i] - mean) * inverse, s = gradient[i] * (weight == null ? 1 : weight[i]);
            sum += s;
            product += s * h;
            dWeight[i] += gradient[i] * h;
            dBias[i] += gradient[i];
        }
        float meanOfS = sum / size, meanOfProducts = product / size;
        for (var i = 0; i < whole; i += TLanes.Count)
        {
            var h = (TLanes.Load(x + i) - TLanes.Of(mean)) * TLanes.Of(inverse);
            var s = TLanes.Load(gradient + i) * (weight == null ? one : TLanes.Load(weight + i));
            var ofX = (s - TLanes.Of(meanOfS) - h * TLanes.Of(meanOfProducts)) * TLanes.Of(inverse);
            (passed == null ? ofX : ofX + TLanes.Load(passed + i)).Store(dx + i);
        }
        for (var i = whole; i < size; i++)
        {
            float h = (x[i] - mean) * inverse, s = gradient[i] * (weight == null ? 1 : weight[i]);
            dx[i] = (s - meanOfS - h * meanOfProducts) * inverse + (passed == null ? 0 : passed[i]);
        }
    }
}
