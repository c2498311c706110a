using RewardModel.Checkpoints;
using TorchSharp;
using static TorchSharp.torch;

namespace RewardModel.Training.Optimization;

/// <summary>Constants of AdamW (Loshchilov and Hutter, arXiv 1711.05101), with PyTorch's defaults.</summary>
internal sealed record AdamWOptions
{
    /// <summary>Decay of the running mean of gradients. Default 0.9.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>Decay of the running mean of squared gradients. Default 0.999.</summary>
    public double Beta2 { get; init; } = 0.999;

    /// <summary>Added to the root of the second moment. Default 1e-8.</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>Share of a weight that is taken off per step and unit of learning rate. Default 0.01.</summary>
    public double WeightDecay { get; init; } = 0.01;

    /// <summary>True: biases and norms decay as well. False (default): only parameters of two dimensions or more.</summary>
    public bool DecayAll { get; init; }
}

/// <summary>
/// AdamW (Loshchilov and Hutter, arXiv 1711.05101), with PyTorch's arithmetic. On the CPU, and by libtorch's fused operator on CUDA, a step
/// is one pass over memory: it reads gradient, weight and both moments once and writes the last three once. Elsewhere it is composed of
/// operators, parameter by parameter.
/// </summary>
internal sealed class AdamW : Optimizer
{
    private readonly AdamWSlot[] slots;
    private readonly AdamWOptions options;
    private readonly IArithmetic<AdamWSlot, AdamWRule> arithmetic;

    /// <summary>Makes an optimiser whose moments are 0.</summary>
    /// <param name="parameters">The parameters, or parts of them, under whose names the state is saved; those without gradient are left alone.</param>
    /// <param name="options">Constants of the update.</param>
    /// <param name="rates">Learning rates by names, as multiples of a step's; null: 1 for all.</param>
    /// <param name="arithmetic">Null: that of the parameters' device.</param>
    /// <exception cref="ArgumentException">Parameters are not float32 on one device, or not contiguous: all are listed.</exception>
    public AdamW(
        IEnumerable<WeightPart> parameters, AdamWOptions options, IReadOnlyDictionary<string, double>? rates = null,
        IArithmetic<AdamWSlot, AdamWRule>? arithmetic = null)
        : base(parameters, options.WeightDecay, options.DecayAll, rates)
    {
        this.options = options;
        this.arithmetic = arithmetic ?? ArithmeticOf(Device);
        slots = [.. Parameters.Select(parameter => new AdamWSlot(parameter))];
    }

    /// <summary>The moments, under <c>exp_avg.NAME</c> and <c>exp_avg_sq.NAME</c>.</summary>
    public override IEnumerable<TensorPart> State() => slots.SelectMany(slot => slot.State());

    /// <summary>What computes a step of float32 moments on a device.</summary>
    internal static IArithmetic<AdamWSlot, AdamWRule> ArithmeticOf(Device device) =>
        device.type == DeviceType.CPU ? new VectorAdamW() : new TensorAdamW(isFused: device.type == DeviceType.CUDA);

    protected override void Update(double learningRate, double gradientScale) =>
        arithmetic.Update(slots, new AdamWRule(options, learningRate, gradientScale, StepCount));
}
