using RewardModel.Checkpoints;
using RewardModel.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace RewardModel.Training.Optimization;

/// <summary>
/// Changes parameters by their gradients, and keeps what it has to know from step to step. Float32 parameters, all on one device; those
/// without gradient are left alone.
/// </summary>
internal abstract class Optimizer : IDisposable
{
    /// <param name="parameters">The parameters, or parts of them, under whose names the state is saved.</param>
    /// <param name="weightDecay">Decoupled weight decay of parameters of two dimensions or more.</param>
    /// <param name="decayAll">Whether the others decay as well.</param>
    /// <param name="rates">Learning rates by names, as multiples of a step's; null: 1 for all.</param>
    /// <exception cref="ArgumentException">Parameters are not float32 on one device, or not contiguous: all are listed.</exception>
    protected Optimizer(
        IEnumerable<WeightPart> parameters, double weightDecay, bool decayAll, IReadOnlyDictionary<string, double>? rates)
    {
        WeightPart[] all = [.. parameters];
        Device = all.Length == 0 ? CPU : all[0].Parameter.device;
        string[] problems =
        [
            .. all.Where(pair => pair.Parameter.dtype != ScalarType.Float32 || pair.Parameter.device.ToString() != Device.ToString()
                    || !pair.Parameter.is_contiguous())
                .Select(pair => $"'{pair.Name}' is {(pair.Parameter.is_contiguous() ? "" : "not contiguous, ")}"
                    + $"{pair.Parameter.dtype} on {pair.Parameter.device}"),
        ];
        if (problems.Length > 0)
            throw new ArgumentException(
                $"Parameters can't be optimised: {string.Join("; ", problems)}. Expected contiguous Float32, all on one device, {Device}.",
                nameof(parameters));
        Parameters =
        [
            .. all.Select(part => new OptimizedParameter(
                part, decayAll || part.Shape.Length >= 2 ? weightDecay : 0, rates?[part.Name] ?? 1)),
        ];
    }

    /// <summary>Steps taken.</summary>
    public int StepCount { get; private set; }

    /// <summary>
    /// The names of the parameters whose weights, or what is kept of them, are not finite since a step. Found by steps over the CPU's memory, in
    /// the same pass; of steps by operators it is empty, as that would be a pass of its own and be waited for.
    /// </summary>
    public IEnumerable<string> Damaged => Parameters.Where(parameter => parameter.IsDamaged).Select(parameter => parameter.Name);

    /// <summary>All of them, in their order.</summary>
    protected IReadOnlyList<OptimizedParameter> Parameters { get; }

    /// <summary>Where they lie.</summary>
    protected Device Device { get; }

    /// <summary>L2 norm of all gradients together. Infinite or NaN if a gradient is.</summary>
    public double GradientNorm() => Math.Sqrt(SquaredGradientNorm());

    /// <summary>Its square, added up in float64.</summary>
    public double SquaredGradientNorm()
    {
        KernelErrors.Throw();
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        Tensor[] gradients = [.. Parameters.Select(parameter => parameter.Parameter.grad).OfType<Tensor>()];
        return Device.type == DeviceType.CPU ? SquaredNorm.OverMemory(gradients) : SquaredNorm.ByOperators(gradients);
    }

    /// <summary>Updates all parameters that have a gradient.</summary>
    /// <param name="learningRate">The step's rate, of which each parameter has its multiple.</param>
    /// <param name="gradientScale">Gradients are multiplied by this first: clipping, without a pass of its own.</param>
    public void Step(double learningRate, double gradientScale = 1)
    {
        KernelErrors.Throw();
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        StepCount++;
        Update(learningRate, gradientScale);
    }

    /// <summary>What is kept from step to step, by names: the optimiser's own tensors, not copies.</summary>
    public abstract IEnumerable<TensorPart> State();

    /// <summary>Goes on from a saved state: call after copying the saved tensors into those of <see cref="State"/>.</summary>
    public void ResumeAt(int stepCount) => StepCount = stepCount;

    /// <summary>Releases the state; the parameters are the model's.</summary>
    public void Dispose()
    {
        foreach (var part in State())
            part.Tensor.Dispose();
    }

    /// <summary>Takes step <see cref="StepCount"/>, counted from 1. Without gradient recording, in a dispose scope.</summary>
    protected abstract void Update(double learningRate, double gradientScale);
}

/// <summary>An optimiser's arithmetic, where the tensors lie. Without gradient recording, in a dispose scope.</summary>
/// <typeparam name="TSlot">A parameter, with what is kept of it.</typeparam>
/// <typeparam name="TRule">A step's constants.</typeparam>
internal interface IArithmetic<TSlot, TRule>
{
    /// <summary>Updates weights and state of the slots that have a gradient, which may change too.</summary>
    void Update(IReadOnlyList<TSlot> slots, TRule rule);
}
