using RewardModel.Kernels;
using static TorchSharp.torch;

namespace RewardModel.Training.Optimization;

/// <summary>AdamW by operators, on any device.</summary>
/// <param name="isFused">
/// True: by libtorch's fused operator, one pass over memory for all parameters, which it has for the CPU, CUDA and Apple's GPUs. False:
/// operator by operator, which reads and writes more.
/// </param>
internal sealed class TensorAdamW(bool isFused) : IAdamWArithmetic
{
    /// <summary>Elements that are converted to float64 at a time: bounds memory.</summary>
    private const long chunkLength = 1 << 24;

    /// <summary>Elements whose squares are first added up in float32: see <see cref="SumOfSquares(IReadOnlyList{AdamWSlot})"/>.</summary>
    private const long rowLength = 1024;

    /// <summary>Gradients of fewer elements are added up together.</summary>
    private const long smallLength = 1 << 16;

    /// <summary>
    /// Row by row in float32, and of rows in float64: a single pass over memory that writes next to nothing, where a conversion would write and
    /// read back twice as much as it read. Where that is beyond float32's range, or too near its lower end to tell, all of it in float64.
    /// </summary>
    public double SumOfSquares(IReadOnlyList<AdamWSlot> slots)
    {
        const double least = 1e-25;
        Tensor[] gradients = [.. slots.Select(slot => slot.Parameter.grad).OfType<Tensor>().Select(gradient => gradient.contiguous().view(-1))];
        if (gradients.Length == 0)
            return 0;
        // Most are small: one copy of them takes less time than a call for each.
        var bySize = gradients.ToLookup(gradient => gradient.numel() >= smallLength);
        var small = bySize[false].ToArray();
        var sum = Read(SumOfSquares(cat([.. bySize[true].Concat(small.Length == 0 ? [] : [cat(small)]).SelectMany(NormsOfRows)])));
        return sum is >= least and < double.PositiveInfinity
            ? sum
            : Read(cat([.. gradients.SelectMany(Chunks).Select(SumOfSquares)]).sum());
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

    private static void UpdateFused(AdamWSlot[] slots, double weightDecay, AdamWRule rule)
    {
        var options = rule.Options;
        var device = slots[0].FirstMoment.device;
        var step = full([], rule.Step, dtype: float32, device: device);
        new OperatorCall("aten::_fused_adamw_")
            .Tensors([.. slots.Select(slot => slot.Parameter)]).Tensors([.. slots.Select(slot => slot.Parameter.grad!.contiguous())])
            .Tensors([.. slots.Select(slot => slot.FirstMoment)]).Tensors([.. slots.Select(slot => slot.SecondMoment)])
            // max_exp_avg_sqs, of a variant (amsgrad), and state_steps.
            .Tensors([]).Tensors([.. slots.Select(_ => step)])
            .Double(rule.LearningRate).Double(options.Beta1).Double(options.Beta2).Double(weightDecay).Double(options.Epsilon)
            // amsgrad and maximize.
            .Bool(false).Bool(false)
            // The operator divides by its scale, which is that of a loss.
            .OptionalTensor(rule.GradientScale == 1 ? null : full([], 1 / rule.GradientScale, dtype: float32, device: device))
            .Call(resultCount: 0);
    }

    private static void Update(AdamWSlot slot, AdamWRule rule)
    {
        using var scope = NewDisposeScope();
        var gradient = slot.Parameter.grad!.mul(rule.GradientScale);
        slot.FirstMoment.mul_(rule.Beta1).add_(gradient, rule.OneMinusBeta1);
        slot.SecondMoment.mul_(rule.Beta2).addcmul_(gradient, gradient, rule.OneMinusBeta2);
        var root = slot.SecondMoment.sqrt().div(rule.RootOfCorrection2).add(rule.Epsilon);
        slot.Parameter.mul_(1 - rule.LearningRate * (float)slot.WeightDecay).addcdiv_(slot.FirstMoment, root, -rule.StepSize);
    }

    // The one place where a step reads a number of its gradients back.
    private static double Read(Tensor sum) => sum.cpu().item<double>();

    private static IEnumerable<Tensor> NormsOfRows(Tensor flat)
    {
        var rest = flat.numel() % rowLength;
        if (flat.numel() > rest)
            yield return linalg.vector_norm(flat.narrow(0, 0, flat.numel() - rest).view(-1, rowLength), 2, [1]);
        if (rest > 0)
            yield return linalg.vector_norm(flat.narrow(0, flat.numel() - rest, rest).view(1, rest), 2, [1]);
    }

    private static IEnumerable<Tensor> Chunks(Tensor flat)
    {
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
