using System.Numerics;
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
        TorchThreads.Run(tasks.Count, t => Update(tasks[t].Slot, tasks[t].First, tasks[t].End, rule));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Update(Slot slot, long first, long end, AdamWRule rule)
    {
        const int length = DynamicMap.BlockLength;
        float* m = stackalloc float[length], v = stackalloc float[length];
        for (var block = first; block < end; block++)
        {
            var start = block * length;
            var count = (int)Math.Min(length, slot.Length - start);
            byte* mCodes = slot.FirstCodes + start, vCodes = slot.SecondCodes + start;
            DynamicMap.Signed.Decode(mCodes, slot.FirstLargest[block], count, m);
            DynamicMap.Unsigned.Decode(vCodes, slot.SecondLargest[block], count, v);
            VectorAdamW.Update(new(slot.Weight + start, slot.Gradient + start, m, v, count, slot.Kept, slot.StepSize), rule);
            DynamicMap.Signed.Encode(m, slot.FirstLargest[block] = Largest(m, count), count, least: 0, mCodes);
            DynamicMap.Unsigned.Encode(v, slot.SecondLargest[block] = Largest(v, count), count, least: 1, vCodes);
        }
    }

    private static float Largest(float* values, int count)
    {
        var largest = Vector<float>.Zero;
        var i = 0;
        for (; i <= count - Vector<float>.Count; i += Vector<float>.Count)
            largest = Vector.Max(largest, Vector.Abs(Vector.Load(values + i)));
        float result = 0;
        for (var lane = 0; lane < Vector<float>.Count; lane++)
            result = Math.Max(result, largest[lane]);
        for (; i < count; i++)
            result = Math.Max(result, Math.Abs(values[i]));
        return result;
    }

    /// <summary>A parameter's memory. Pointers stay valid for a step: tensors' memory does not move.</summary>
    private sealed class Slot(QuantizedSlot slot, Tensor gradient, AdamWRule rule)
    {
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
