using System.Runtime.CompilerServices;
using RewardModel.Kernels;
using static TorchSharp.torch;

namespace RewardModel.Training.Optimization;

/// <summary>
/// AdamW with moments of 8 bits on the CPU, over the tensors' memory, in one pass: a block's moments are in float32 only while it is updated.
/// </summary>
internal sealed unsafe class VectorAdamW8Bit : IArithmetic<QuantizedSlot, AdamWRule>
{
    /// <summary>Blocks that one thread takes at a time.</summary>
    private const int blocksPerTask = 256;

    public void Update(IReadOnlyList<QuantizedSlot> slots, AdamWRule rule)
    {
        var tasks = new List<(Slot Slot, long First, long End)>();
        foreach (var slot in slots)
        {
            if (slot.Parameter.grad is not { } gradient)
                continue;
            var blocks = DynamicMap.BlockCountOf(slot.Parameter.numel());
            var data = new Slot(slot, gradient.contiguous(), rule);
            for (long first = 0; first < blocks; first += blocksPerTask)
                tasks.Add((data, first, Math.Min(blocks, first + blocksPerTask)));
        }
        TorchThreads.Run(tasks.Count, t =>
        {
            var (slot, first, end) = tasks[t];
            switch (LaneWidth.Bits)
            {
                case 512:
                    Update<Lanes512>(slot, first, end, rule);
                    break;
                case 256:
                    Update<Lanes256>(slot, first, end, rule);
                    break;
                default:
                    Update<Lanes128>(slot, first, end, rule);
                    break;
            }
        });
    }

    private static void Update<TLanes>(Slot slot, long first, long end, AdamWRule rule) where TLanes : struct, ILanes<TLanes>
    {
        const int length = DynamicMap.BlockLength;
        float* m = stackalloc float[length], v = stackalloc float[length];
        float* lastWeight = stackalloc float[length], lastGradient = stackalloc float[length];
        for (var block = first; block < end; block++)
        {
            var start = block * length;
            float* weight = slot.Weight + start, gradient = slot.Gradient + start;
            byte* mCodes = slot.FirstCodes + start, vCodes = slot.SecondCodes + start;
            // The last block is filled up with zeros.
            var count = (int)Math.Min(length, slot.Length - start);
            if (count < length)
            {
                new Span<float>(weight, count).CopyTo(new Span<float>(lastWeight, length));
                new Span<float>(gradient, count).CopyTo(new Span<float>(lastGradient, length));
                weight = lastWeight;
                gradient = lastGradient;
            }
            DynamicMap.Signed.Decode<TLanes>(mCodes, slot.FirstLargest[block], m);
            DynamicMap.Unsigned.Decode<TLanes>(vCodes, slot.SecondLargest[block], v);
            var (mLargest, vLargest, check) = UpdateBlock<TLanes>(weight, gradient, m, v, slot.Kept, slot.StepSize, rule);
            slot.Optimized.Check(check);
            DynamicMap.Signed.Encode<TLanes>(m, mLargest, mCodes);
            DynamicMap.Unsigned.Encode<TLanes>(v, vLargest, vCodes);
            (slot.FirstLargest[block], slot.SecondLargest[block]) = (mLargest, vLargest);
            if (count < length)
                new Span<float>(lastWeight, count).CopyTo(new Span<float>(slot.Weight + start, count));
        }
    }

    /// <summary>AdamW's step, the largest magnitudes of both moments after it, and the check of weights and second moments.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static (float First, float Second, float Check) UpdateBlock<TLanes>(
        float* weight, float* gradient, float* m, float* v, float kept, float stepSize, AdamWRule rule) where TLanes : struct, ILanes<TLanes>
    {
        TLanes beta1 = TLanes.Of(rule.Beta1), oneMinusBeta1 = TLanes.Of(rule.OneMinusBeta1);
        TLanes beta2 = TLanes.Of(rule.Beta2), oneMinusBeta2 = TLanes.Of(rule.OneMinusBeta2);
        TLanes correction = TLanes.Of(rule.RootOfCorrection2), epsilon = TLanes.Of(rule.Epsilon);
        TLanes scale = TLanes.Of(rule.GradientScale), ofWeight = TLanes.Of(kept), ofUpdate = TLanes.Of(stepSize);
        TLanes mLargest = TLanes.Of(0), vLargest = TLanes.Of(0), zero = TLanes.Of(0), check = TLanes.Of(0);
        for (var i = 0; i < DynamicMap.BlockLength; i += TLanes.Count)
        {
            var g = TLanes.Load(gradient + i) * scale;
            var first = TLanes.Load(m + i) * beta1 + g * oneMinusBeta1;
            var second = TLanes.Load(v + i) * beta2 + g * g * oneMinusBeta2;
            var root = TLanes.SquareRoot(second) / correction + epsilon;
            first.Store(m + i);
            second.Store(v + i);
            var updated = TLanes.Load(weight + i) * ofWeight - first / root * ofUpdate;
            updated.Store(weight + i);
            check += updated * zero + second * zero;
            mLargest = TLanes.Max(mLargest, TLanes.Abs(first));
            vLargest = TLanes.Max(vLargest, second);
        }
        return (OrZero(mLargest.Largest()), OrZero(vLargest.Largest()), check.Sum());
    }

    private static float OrZero(float largest) => largest < DynamicMap.LeastMagnitude ? 0 : largest;

    /// <summary>A parameter's memory. Pointers stay valid for a step: tensors' memory does not move.</summary>
    private sealed class Slot(QuantizedSlot slot, Tensor gradient, AdamWRule rule)
    {
        public OptimizedParameter Optimized => slot.Optimized;

        public float* Weight { get; } = (float*)LibTorch.DataOf(slot.Parameter);

        public float* Gradient { get; } = (float*)LibTorch.DataOf(gradient);

        public byte* FirstCodes { get; } = (byte*)LibTorch.DataOf(slot.FirstMoment.Codes);

        public float* FirstLargest { get; } = (float*)LibTorch.DataOf(slot.FirstMoment.Largest);

        public byte* SecondCodes { get; } = (byte*)LibTorch.DataOf(slot.SecondMoment.Codes);

        public float* SecondLargest { get; } = (float*)LibTorch.DataOf(slot.SecondMoment.Largest);

        public long Length { get; } = slot.Parameter.numel();

        public float Kept { get; } = rule.KeptOf(slot.Optimized);

        public float StepSize { get; } = rule.StepSizeOf(slot.Optimized);
    }
}
