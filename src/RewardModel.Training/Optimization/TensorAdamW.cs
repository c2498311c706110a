using RewardModel.Kernels;
using static TorchSharp.torch;

namespace RewardModel.Training.Optimization;

/// <summary>AdamW by operators, on any device.</summary>
/// <param name="isFused">
/// True: by libtorch's fused operator, one pass over memory for all parameters, which it has for the CPU, CUDA and Apple's GPUs. False:
/// operator by operator, which reads and writes more.
/// </param>
internal sealed class TensorAdamW(bool isFused) : IArithmetic<AdamWSlot, AdamWRule>
{
    public void Update(IReadOnlyList<AdamWSlot> slots, AdamWRule rule)
    {
        var trained = slots.Where(slot => slot.Parameter.grad is not null);
        if (isFused)
            foreach (var group in trained.GroupBy(slot => (slot.Optimized.WeightDecay, slot.Optimized.Rate)))
                UpdateFused([.. group], rule);
        else
            foreach (var slot in trained)
                Update(slot, rule);
    }

    /// <summary>Updates parameters that have the same weight decay and rate.</summary>
    private static void UpdateFused(AdamWSlot[] slots, AdamWRule rule)
    {
        var options = rule.Options;
        var device = slots[0].FirstMoment.device;
        var step = full([], rule.Step, dtype: float32, device: device);
        new OperatorCall("aten::_fused_adamw_")
            .Tensors([.. slots.Select(slot => slot.Parameter)]).Tensors([.. slots.Select(slot => slot.Parameter.grad!.contiguous())])
            .Tensors([.. slots.Select(slot => slot.FirstMoment)]).Tensors([.. slots.Select(slot => slot.SecondMoment)])
            // max_exp_avg_sqs, of a variant (amsgrad), and state_steps.
            .Tensors([]).Tensors([.. slots.Select(_ => step)])
            .Double((float)rule.LearningRateOf(slots[0].Optimized)).Double(options.Beta1).Double(options.Beta2)
            .Double(slots[0].Optimized.WeightDecay).Double(options.Epsilon)
            // amsgrad and maximize.
            .Bool(false).Bool(false)
            // The operator divides by its scale, which is that of a loss.
            .OptionalTensor(rule.GradientScale == 1 ? null : full([], 1 / rule.GradientScale, dtype: float32, device: device))
            .Call(resultCount: 0);
    }

    private static void Update(AdamWSlot slot, AdamWRule rule)
    {
        using var scope = NewDisposeScope();
        Update(slot.Parameter, slot.Parameter.grad!, slot.FirstMoment, slot.SecondMoment, slot.Optimized, rule);
    }

    /// <summary>Updates weights and moments, all of one shape. In a dispose scope.</summary>
    public static void Update(
        Tensor weight, Tensor gradient, Tensor firstMoment, Tensor secondMoment, OptimizedParameter optimized, AdamWRule rule)
    {
        var scaled = gradient.mul(rule.GradientScale);
        firstMoment.mul_(rule.Beta1).add_(scaled, rule.OneMinusBeta1);
        secondMoment.mul_(rule.Beta2).addcmul_(scaled, scaled, rule.OneMinusBeta2);
        var root = secondMoment.sqrt().div(rule.RootOfCorrection2).add(rule.Epsilon);
        weight.mul_(rule.KeptOf(optimized)).addcdiv_(firstMoment, root, -rule.StepSizeOf(optimized));
    }
}
