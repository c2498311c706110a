using System.Numerics;
using RewardModel.Kernels;
using static TorchSharp.torch;

namespace RewardModel.Training.Optimization;

/// <summary>AdamW on the CPU, over the tensors' memory.</summary>
internal sealed unsafe class VectorAdamW : IArithmetic<AdamWSlot, AdamWRule>
{
    /// <summary>Elements that one thread takes at a time.</summary>
    private const int blockLength = 1 << 16;

    public void Update(IReadOnlyList<AdamWSlot> slots, AdamWRule rule)
    {
        var blocks = new List<Block>();
        foreach (var slot in slots)
        {
            if (slot.Parameter.grad is not { } gradient)
                continue;
            var weight = Data(slot.Parameter);
            var g = Data(gradient.contiguous());
            var m = Data(slot.FirstMoment);
            var v = Data(slot.SecondMoment);
            var (kept, stepSize) = (rule.KeptOf(slot.Optimized), rule.StepSizeOf(slot.Optimized));
            var length = slot.Parameter.numel();
            for (long i = 0; i < length; i += blockLength)
                blocks.Add(new Block(weight + i, g + i, m + i, v + i, (int)Math.Min(blockLength, length - i), kept, stepSize, slot.Optimized));
        }
        TorchThreads.Run(blocks.Count, b => Update(blocks[b], rule));
    }

    private static void Update(in Block block, AdamWRule rule)
    {
        var weight = block.Weight;
        var gradient = block.Gradient;
        var m = block.FirstMoment;
        var v = block.SecondMoment;
        var (kept, stepSize) = (block.Kept, block.StepSize);
        // A first moment that is not finite makes the weight so; a second one that is infinite only stops it.
        var (zero, check) = (Vector<float>.Zero, Vector<float>.Zero);
        var i = 0;
        for (; i <= block.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            var g = Vector.Load(gradient + i) * rule.GradientScale;
            var first = Vector.Load(m + i) * rule.Beta1 + g * rule.OneMinusBeta1;
            var second = Vector.Load(v + i) * rule.Beta2 + g * g * rule.OneMinusBeta2;
            var root = Vector.SquareRoot(second) / rule.RootOfCorrection2 + new Vector<float>(rule.Epsilon);
            Vector.Store(first, m + i);
            Vector.Store(second, v + i);
            var updated = Vector.Load(weight + i) * kept - first / root * stepSize;
            Vector.Store(updated, weight + i);
            check += updated * zero + second * zero;
        }
        var sum = Vector.Sum(check);
        for (; i < block.Length; i++)
        {
            var g = gradient[i] * rule.GradientScale;
            m[i] = m[i] * rule.Beta1 + g * rule.OneMinusBeta1;
            v[i] = v[i] * rule.Beta2 + g * g * rule.OneMinusBeta2;
            weight[i] = weight[i] * kept - m[i] / (MathF.Sqrt(v[i]) / rule.RootOfCorrection2 + rule.Epsilon) * stepSize;
            sum += weight[i] * 0 + v[i] * 0;
        }
        block.Optimized.Check(sum);
    }

    private static float* Data(Tensor tensor) => (float*)LibTorch.DataOf(tensor);

    /// <summary>A run of elements of one parameter. Pointers stay valid for a step: tensors' memory does not move.</summary>
    private readonly struct Block(
        float* weight, float* gradient, float* firstMoment, float* secondMoment, int length, float kept, float stepSize,
        OptimizedParameter optimized)
    {
        public float* Weight { get; } = weight;

        public float* Gradient { get; } = gradient;

        public float* FirstMoment { get; } = firstMoment;

        public float* SecondMoment { get; } = secondMoment;

        public int Length { get; } = length;

        /// <summary>What weights are multiplied by.</summary>
        public float Kept { get; } = kept;

        public float StepSize { get; } = stepSize;

        public OptimizedParameter Optimized { get; } = optimized;
    }
}
