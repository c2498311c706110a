using static TorchSharp.torch;

namespace RewardModel.Training.Optimization;

/// <summary>Adafactor by operators, on any device. Nothing is read back.</summary>
internal sealed class TensorAdafactor : IArithmetic<AdafactorSlot, AdafactorRule>
{
    public void Update(IReadOnlyList<AdafactorSlot> slots, AdafactorRule rule)
    {
        foreach (var slot in slots.Where(slot => slot.Parameter.grad is not null))
        {
            using var scope = NewDisposeScope();
            var gradient = slot.Parameter.grad!.mul(rule.GradientScale);
            var update = RootOfInverse(slot, gradient.square().add_(AdafactorRule.Epsilon), rule).mul_(gradient);
            // By the mean square, whose root is the same of scalars as of tensors of any size.
            var clipping = update.square().mean().sqrt().div(AdafactorRule.ClippingThreshold).clamp_min(1);
            var change = update.div_(clipping).mul_(rule.LearningRateOf(slot.Optimized));
            slot.Parameter.mul_(rule.KeptOf(slot.Optimized)).sub_(change);
        }
    }

    /// <summary>1 / sqrt of the second moments, after these have taken the squares.</summary>
    private static Tensor RootOfInverse(AdafactorSlot slot, Tensor squares, AdafactorRule rule)
    {
        Tensor Add(Tensor mean, Tensor value) => mean.mul_(rule.Beta2).add_(value, rule.OneMinusBeta2);
        if (slot.Elements is { } elements)
            return Add(elements, squares).rsqrt();
        Tensor rows = Add(slot.Rows!, squares.mean([-1])), columns = Add(slot.Columns!, squares.mean([-2]));
        return rows.div(rows.mean([-1], keepdim: true)).rsqrt().unsqueeze(-1).mul(columns.unsqueeze(-2).rsqrt());
    }
}
