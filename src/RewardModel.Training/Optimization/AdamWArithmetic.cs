using TorchSharp.Modules;
using static TorchSharp.torch;

namespace RewardModel.Training.Optimization;

/// <summary>What <see cref="AdamW"/> computes, where the tensors lie. Without gradient recording, in a dispose scope.</summary>
internal interface IAdamWArithmetic
{
    /// <summary>Of all gradients together, in float64.</summary>
    double SumOfSquares(IReadOnlyList<AdamWSlot> slots);

    /// <summary>Updates weights and moments of the slots that have a gradient, which may change too.</summary>
    void Update(IReadOnlyList<AdamWSlot> slots, AdamWRule rule);
}

/// <summary>The step's constants, in float32 once.</summary>
internal sealed class AdamWRule(AdamWOptions options, double learningRate, double gradientScale, int step)
{
    public AdamWOptions Options => options;

    public int Step => step;

    public float LearningRate { get; } = (float)learningRate;

    public float GradientScale { get; } = (float)gradientScale;

    public float Beta1 { get; } = (float)options.Beta1;

    public float OneMinusBeta1 { get; } = (float)(1 - options.Beta1);

    public float Beta2 { get; } = (float)options.Beta2;

    public float OneMinusBeta2 { get; } = (float)(1 - options.Beta2);

    public float Epsilon { get; } = (float)options.Epsilon;

    public float StepSize { get; } = (float)(learningRate / (1 - Math.Pow(options.Beta1, step)));

    public float RootOfCorrection2 { get; } = (float)Math.Sqrt(1 - Math.Pow(options.Beta2, step));
}

/// <summary>A parameter and its moments.</summary>
internal sealed class AdamWSlot
{
    public AdamWSlot(string name, Parameter parameter, double weightDecay)
    {
        Name = name;
        Parameter = parameter;
        WeightDecay = weightDecay;
        FirstMoment = zeros(parameter.shape, device: parameter.device).DetachFromDisposeScope();
        SecondMoment = zeros(parameter.shape, device: parameter.device).DetachFromDisposeScope();
    }

    public string Name { get; }

    public Parameter Parameter { get; }

    public double WeightDecay { get; }

    public Tensor FirstMoment { get; }

    public Tensor SecondMoment { get; }
}
