using static TorchSharp.torch;

namespace RewardModel.Kernels;

/// <summary>What <see cref="ClampedGateKernel"/> is told beside tensors.</summary>
/// <param name="Limit">What gates are at most, and what is multiplied with them at most and, negative, at least.</param>
/// <param name="Slope">a.</param>
internal readonly record struct ClampedGateSettings(double Limit, double Slope);

/// <summary>
/// g sigmoid(a g) (u + 1) of gates g and factors u side by side by turns, x [T, 2 I] to [T, I], both clamped before. Of operators, on any
/// device; autograd would keep seven numbers for each that comes of it, where the two that it takes are enough.
/// </summary>
internal sealed class ClampedGateKernel : Kernel<ClampedGateKernel, ClampedGateSettings>
{
    protected override Tensor[] Compute(ClampedGateSettings settings, Tensor?[] inputs, List<Tensor?>? saved)
    {
        using var scope = NewDisposeScope();
        saved?.Add(inputs[0]!);
        var (gate, up) = Clamped(settings, inputs[0]!);
        return [gate.mul(gate.mul(settings.Slope).sigmoid_()).mul_(up.add(1)).MoveToOuterDisposeScope()];
    }

    protected override Tensor?[] Gradients(
        ClampedGateSettings settings, IReadOnlyList<Tensor?> saved, Tensor?[] gradients, bool[] needed)
    {
        var gradient = gradients[0]!;
        var halves = Halves(saved[0]!);
        var (gate, up) = Clamped(settings, saved[0]!);
        // A number that the bounds changed has no gradient.
        var (isGateFree, isUpFree) = (halves.Gate.eq(gate), halves.Up.eq(up));
        var share = gate.mul(settings.Slope).sigmoid_();
        var result = gate.mul(share);
        // The slope of g sigmoid(a g): s + a g s (1 - s).
        var slope = share.add(result.mul(settings.Slope).mul_(share.neg().add_(1)));
        var dGate = gradient.mul(up.add_(1)).mul_(slope).mul_(isGateFree);
        var dUp = gradient.mul(result).mul_(isUpFree);
        return [stack([dGate, dUp], -1).flatten(1)];
    }

    private static (Tensor Gate, Tensor Up) Halves(Tensor x)
    {
        var halves = x.view(x.size(0), -1, 2).unbind(2);
        return (halves[0], halves[1]);
    }

    private static (Tensor Gate, Tensor Up) Clamped(ClampedGateSettings settings, Tensor x)
    {
        var (gate, up) = Halves(x);
        return (gate.clamp_max(settings.Limit), up.clamp(-settings.Limit, settings.Limit));
    }
}
