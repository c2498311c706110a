using RewardModel.Checkpoints;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace RewardModel.Training.Optimization;

/// <summary>
/// Adafactor (Shazeer and Stern, arXiv 1804.04235, algorithms 4 and 5) at the learning rates that it is given, with the arithmetic of
/// transformers' <c>Adafactor(scale_parameter=False, relative_step=False)</c>: no first moment; of matrices, means of the squared gradients'
/// rows and columns in place of second moments; updates whose root mean square is above 1 are scaled down to that.
/// </summary>
/// <remarks>
/// Tensors of more than two dimensions are taken as matrices of their last two, one for each of the others' places. A parameter is updated
/// as a whole: a part of one is all of it, or empty.
/// </remarks>
internal sealed class Adafactor : Optimizer
{
    private readonly AdafactorSlot[] slots;
    private readonly IArithmetic<AdafactorSlot, AdafactorRule> arithmetic;

    /// <summary>Makes an optimiser whose means are 0.</summary>
    /// <param name="parameters">The parameters, or parts of them, under whose names the state is saved; those without gradient are left alone.</param>
    /// <param name="weightDecay">Decoupled weight decay, per step and unit of learning rate.</param>
    /// <param name="decayAll">True: biases and norms decay as well. False: only parameters of two dimensions or more.</param>
    /// <param name="rates">Learning rates by names, as multiples of a step's; null: 1 for all.</param>
    /// <param name="arithmetic">Null: that of the parameters' device.</param>
    /// <exception cref="ArgumentException">Parameters are not float32 on one device, or not contiguous: all are listed.</exception>
    public Adafactor(
        IEnumerable<WeightPart> parameters, double weightDecay, bool decayAll,
        IReadOnlyDictionary<string, double>? rates = null, IArithmetic<AdafactorSlot, AdafactorRule>? arithmetic = null)
        : base(parameters, weightDecay, decayAll, rates)
    {
        this.arithmetic = arithmetic ?? (Device.type == DeviceType.CPU ? new VectorAdafactor() : new TensorAdafactor());
        slots = [.. Parameters.Select(parameter => new AdafactorSlot(parameter))];
    }

    /// <summary>
    /// The means: <c>exp_avg_sq_row.NAME</c> and <c>exp_avg_sq_col.NAME</c> of matrices, <c>exp_avg_sq.NAME</c> of the others.
    /// </summary>
    public override IEnumerable<TensorPart> State() => slots.SelectMany(slot => slot.State());

    protected override void Update(double learningRate, double gradientScale) =>
        arithmetic.Update(slots, new AdafactorRule(learningRate, gradientScale, StepCount));
}

/// <summary>The step's constants.</summary>
internal sealed class AdafactorRule(double learningRate, double gradientScale, int step)
{
    /// <summary>Added to squared gradients: epsilon 1 of the paper.</summary>
    public const float Epsilon = 1e-30f;

    /// <summary>The largest root mean square of an update: d of the paper.</summary>
    public const double ClippingThreshold = 1;

    public float GradientScale { get; } = (float)gradientScale;

    /// <summary>Decay of the means: 0 at the first step, so that they need no correction.</summary>
    public float Beta2 { get; } = (float)(1 - Math.Pow(step, -0.8));

    public float OneMinusBeta2 { get; } = (float)Math.Pow(step, -0.8);

    /// <summary>The parameter's learning rate.</summary>
    public double LearningRateOf(OptimizedParameter parameter) => learningRate * parameter.Rate;

    /// <summary>What a weight is multiplied by: its decay.</summary>
    public float KeptOf(OptimizedParameter parameter) => (float)(1 - LearningRateOf(parameter) * parameter.WeightDecay);
}

/// <summary>A parameter and the means of its squared gradients.</summary>
internal sealed class AdafactorSlot
{
    public AdafactorSlot(OptimizedParameter optimized)
    {
        Optimized = optimized;
        var shape = Part.Shape;
        if (shape.Length >= 2)
        {
            Rows = Zeros(RowShape);
            Columns = Zeros(ColumnShape);
        }
        else
            Elements = Zeros(shape);
    }

    public OptimizedParameter Optimized { get; }

    public Parameter Parameter => Optimized.Parameter;

    /// <summary>Of a matrix: a mean for each row; else null.</summary>
    public Tensor? Rows { get; }

    /// <summary>Of a matrix: a mean for each column; else null.</summary>
    public Tensor? Columns { get; }

    /// <summary>Of what is no matrix: a mean for each element; else null.</summary>
    public Tensor? Elements { get; }

    /// <summary>The means as an optimiser's state.</summary>
    public IEnumerable<TensorPart> State() => Elements is { } elements
        ? [Part.Beside($"exp_avg_sq.{Part.Name}", elements)]
        :
        [
            new TensorPart($"exp_avg_sq_row.{Part.Name}", Rows!, RowShape, 0),
            new TensorPart($"exp_avg_sq_col.{Part.Name}", Columns!, ColumnShape, 0),
        ];

    private WeightPart Part => Optimized.Part;

    private long[] RowShape => Part.Shape[..^1];

    private long[] ColumnShape => [.. Part.Shape[..^2], Part.Shape[^1]];

    // Of what another rank updates there is nothing here.
    private Tensor Zeros(long[] shape) => zeros(Part.IsWhole ? shape : [0], device: Parameter.device).DetachFromDisposeScope();
}
