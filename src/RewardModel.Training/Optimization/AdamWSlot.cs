using RewardModel.Checkpoints;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace RewardModel.Training.Optimization;

/// <summary>The step's constants, in float32 once.</summary>
internal sealed class AdamWRule(AdamWOptions options, double learningRate, double gradientScale, int step)
{
    public AdamWOptions Options => options;

    public int Step => step;

    public float GradientScale { get; } = (float)gradientScale;

    public float Beta1 { get; } = (float)options.Beta1;

    public float OneMinusBeta1 { get; } = (float)(1 - options.Beta1);

    public float Beta2 { get; } = (float)options.Beta2;

    public float OneMinusBeta2 { get; } = (float)(1 - options.Beta2);

    public float Epsilon { get; } = (float)options.Epsilon;

    public float RootOfCorrection2 { get; } = (float)Math.Sqrt(1 - Math.Pow(options.Beta2, step));

    /// <summary>The parameter's learning rate.</summary>
    public double LearningRateOf(OptimizedParameter parameter) => learningRate * parameter.Rate;

    /// <summary>What a weight is multiplied by: its decay.</summary>
    public float KeptOf(OptimizedParameter parameter) => 1 - (float)LearningRateOf(parameter) * (float)parameter.WeightDecay;

    /// <summary>The parameter's learning rate, with the first moment's correction.</summary>
    public float StepSizeOf(OptimizedParameter parameter) =>
        (float)(LearningRateOf(parameter) / (1 - Math.Pow(options.Beta1, step)));
}

/// <summary>A parameter and its moments in float32.</summary>
internal sealed class AdamWSlot(OptimizedParameter optimized)
{
    public OptimizedParameter Optimized => optimized;

    public Parameter Parameter => optimized.Parameter;

    public Tensor FirstMoment { get; } =
        zeros(optimized.Parameter.shape, device: optimized.Parameter.device).DetachFromDisposeScope();

    public Tensor SecondMoment { get; } =
        zeros(optimized.Parameter.shape, device: optimized.Parameter.device).DetachFromDisposeScope();

    /// <summary>The moments as an optimiser's state.</summary>
    public IEnumerable<TensorPart> State() =>
        [optimized.Part.Beside($"exp_avg.{optimized.Name}", FirstMoment), optimized.Part.Beside($"exp_avg_sq.{optimized.Name}", SecondMoment)];
}
