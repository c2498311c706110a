using RewardModel.Layers;
using static TorchSharp.torch;

namespace RewardModel.Training.Optimization;

/// <summary>AdamW by operators, on any device.</summary>
/// <param name="isFused">
/// True: by libtorch's fused operator, one pass over memory for all parameters. False: operator by operator, which reads and writes more,
/// and where the shim is absent is all there is.
/// </param>
internal sealed class TensorAdamW(bool isFused) : IAdamWArithmetic
{
    /// <summary>Elements that are converted to float64 at a time: bounds memory.</summary>
    private const long chunkLength = 1 << 24;

    public double SumOfSquares(IReadOnlyList<AdamWSlot> slots)
    {
        Tensor[] sums = [.. slots.Select(slot => slot.Parameter.grad).OfType<Tensor>().SelectMany(Chunks).Select(SumOfSquares)];
        // The one place where a step reads a number of its gradients back.
        return sums.Length == 0 ? 0 : cat(sums).sum().cpu().item<double>();
    }

    public void Update(IReadOnlyList<AdamWSlot> slots, AdamWRule rule)
    {
        var trained = slots.Where(slot => slot.Parameter.grad is not null);
        if (isFused)
            foreach (var group in trained.GroupBy(slot => slot.WeightDecay))
                UpdateFused([.. group], group.Key, rule);
        else
            foreach (var slot in trained)
                Update(slot, rule);
    }

    private static void UpdateFused(AdamWSlot[] slots, double weightDecay, AdamWRule rule) => NativeKernels.FusedAdamW(
        [.. slots.Select(slot => slot.Parameter)], [.. slots.Select(slot => slot.Parameter.grad!.contiguous())],
        [.. slots.Select(slot => slot.FirstMoment)], [.. slots.Select(slot => slot.SecondMoment)],
        rule.Step, rule.LearningRate, rule.Options.Beta1, rule.Options.Beta2, rule.Options.Epsilon, weightDecay, rule.GradientScale);

    private static void Update(AdamWSlot slot, AdamWRule rule)
    {
        using var scope = NewDisposeScope();
        var gradient = slot.Parameter.grad!.mul(rule.GradientScale);
        slot.FirstMoment.mul_(rule.Beta1).add_(gradient, rule.OneMinusBeta1);
        slot.SecondMoment.mul_(rule.Beta2).addcmul_(gradient, gradient, rule.OneMinusBeta2);
        var root = slot.SecondMoment.sqrt().div(rule.RootOfCorrection2).add(rule.Epsilon);
        slot.Parameter.mul_(1 - rule.LearningRate * (float)slot.WeightDecay).addcdiv_(slot.FirstMoment, root, -rule.StepSize);
    }

    private static IEnumerable<Tensor> Chunks(Tensor gradient)
    {
        var flat = gradient.contiguous().view(-1);
        for (long start = 0; start < flat.numel(); start += chunkLength)
            yield return flat.narrow(0, start, Math.Min(chunkLength, flat.numel() - start));
    }

    private static Tensor SumOfSquares(Tensor chunk)
    {
        using var scope = NewDisposeScope();
        var exact = chunk.to(float64);
        return exact.mul(exact).sum().view(1).MoveToOuterDisposeScope();
    }
}
