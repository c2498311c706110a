using RewardModel.Kernels;
using TorchSharp;
using TorchSharp.Modules;
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
/// operators, parameter by parameter. Float32 parameters, all on one device.
/// </summary>
internal sealed class AdamW : IDisposable
{
    private readonly AdamWSlot[] slots;
    private readonly AdamWOptions options;
    private readonly IAdamWArithmetic arithmetic;

    /// <summary>Makes an optimiser whose moments are 0.</summary>
    /// <param name="parameters">Names, which the state is saved under, and the parameters; those without gradient are left alone.</param>
    /// <param name="options">Constants of the update.</param>
    /// <exception cref="ArgumentException">Parameters are not float32 on one device, or not contiguous: all are listed.</exception>
    public AdamW(IEnumerable<(string Name, Parameter Parameter)> parameters, AdamWOptions options)
        : this(parameters, options, arithmetic: null)
    {
    }

    // The arithmetic: null for that of the parameters' device.
    internal AdamW(IEnumerable<(string Name, Parameter Parameter)> parameters, AdamWOptions options, IAdamWArithmetic? arithmetic)
    {
        (string Name, Parameter Parameter)[] all = [.. parameters];
        var device = all.Length == 0 ? CPU : all[0].Parameter.device;
        string[] problems =
        [
            .. all.Where(pair => pair.Parameter.dtype != ScalarType.Float32 || pair.Parameter.device.ToString() != device.ToString()
                    || !pair.Parameter.is_contiguous())
                .Select(pair => $"'{pair.Name}' is {(pair.Parameter.is_contiguous() ? "" : "not contiguous, ")}"
                    + $"{pair.Parameter.dtype} on {pair.Parameter.device}"),
        ];
        if (problems.Length > 0)
            throw new ArgumentException(
                $"Parameters can't be optimised: {string.Join("; ", problems)}. Expected contiguous Float32, all on one device, {device}.",
                nameof(parameters));
        this.options = options;
        this.arithmetic = arithmetic
            ?? (device.type == DeviceType.CPU ? new VectorAdamW() : new TensorAdamW(isFused: device.type == DeviceType.CUDA));
        slots = [.. all.Select(pair => new AdamWSlot(
            pair.Name, pair.Parameter, options.DecayAll || pair.Parameter.dim() >= 2 ? options.WeightDecay : 0))];
    }

    /// <summary>Steps taken.</summary>
    public int StepCount { get; private set; }

    /// <summary>L2 norm of all gradients together, added up in float64. Infinite or NaN if a gradient is.</summary>
    public double GradientNorm()
    {
        KernelErrors.Throw();
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        return Math.Sqrt(arithmetic.SumOfSquares(slots));
    }

    /// <summary>Updates all parameters that have a gradient.</summary>
    /// <param name="learningRate">The step's rate.</param>
    /// <param name="gradientScale">Gradients are multiplied by this first: clipping, without a pass of its own.</param>
    public void Step(double learningRate, double gradientScale = 1)
    {
        KernelErrors.Throw();
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        StepCount++;
        arithmetic.Update(slots, new AdamWRule(options, learningRate, gradientScale, StepCount));
    }

    /// <summary>The moments, under <c>exp_avg.NAME</c> and <c>exp_avg_sq.NAME</c>: the optimiser's own tensors, not copies.</summary>
    public IEnumerable<(string Name, Tensor Tensor)> State() => slots.SelectMany(slot => new (string, Tensor)[]
    {
        ($"exp_avg.{slot.Name}", slot.FirstMoment),
        ($"exp_avg_sq.{slot.Name}", slot.SecondMoment),
    });

    /// <summary>Goes on from a saved state: call after copying the saved moments into <see cref="State"/>'s tensors.</summary>
    public void ResumeAt(int stepCount) => StepCount = stepCount;

    /// <summary>Releases the moments; the parameters are the model's.</summary>
    public void Dispose()
    {
        foreach (var slot in slots)
        {
            slot.FirstMoment.Dispose();
            slot.SecondMoment.Dispose();
        }
    }
}
