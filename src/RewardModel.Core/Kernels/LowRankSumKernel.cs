using static TorchSharp.torch;

namespace RewardModel.Kernels;

/// <summary>What <see cref="LowRankSumKernel"/> is told beside tensors.</summary>
/// <param name="Scale">s.</param>
/// <param name="Precision">The type that products take.</param>
internal sealed record LowRankSumSettings(double Scale, Precision Precision);

/// <summary>
/// y + s h B^T of y [T, O], h [T, R] and B [O, R], float32, on any device. The result is written over y, which nobody may read afterwards:
/// composed of operators, both the product and the sum would be as large as y again.
/// </summary>
internal sealed class LowRankSumKernel : Kernel<LowRankSumKernel, LowRankSumSettings>
{
    protected override Tensor[] Compute(LowRankSumSettings settings, Tensor?[] inputs, List<Tensor?>? saved)
    {
        Tensor y = inputs[0]!, h = inputs[1]!, b = inputs[2]!;
        saved?.AddRange([h, b]);
        if (settings.Precision == Precision.Float32)
            y.addmm_(h, b.t(), 1, (float)settings.Scale);
        else
            y.add_(LinearKernel.Product(h, b.t(), settings.Precision), settings.Scale);
        return [y.detach()];
    }

    protected override Tensor?[] Gradients(
        LowRankSumSettings settings, IReadOnlyList<Tensor?> saved, Tensor?[] gradients, bool[] needed)
    {
        Tensor h = saved[0]!, b = saved[1]!, gradient = gradients[0]!;
        var factor = settings.Precision == Precision.Float32 ? gradient : LinearKernel.In16Bits(gradient);
        return
        [
            needed[0] ? gradient.detach() : null,
            needed[1] ? Product(factor, b) : null,
            needed[2] ? Product(factor.t(), h) : null,
        ];

        Tensor Product(Tensor left, Tensor right) =>
            (settings.Precision == Precision.Float32 ? left.mm(right) : LinearKernel.Product(left, right, settings.Precision))
            .mul_(settings.Scale);
    }
}
