using TorchSharp.Modules;

namespace RewardModel.Training.Optimization;

/// <summary>A parameter, or a part of one, and how it is updated.</summary>
/// <param name="Part">The weights.</param>
/// <param name="WeightDecay">Share of a weight that is taken off per step and unit of learning rate.</param>
/// <param name="Rate">Its learning rate, as a multiple of the step's.</param>
internal sealed record OptimizedParameter(WeightPart Part, double WeightDecay, double Rate)
{
    /// <summary>The name that its state is saved under.</summary>
    public string Name => Part.Name;

    /// <summary>The weights, with their gradient.</summary>
    public Parameter Parameter => Part.Parameter;

    /// <summary>
    /// Whether a step over memory has left a number that is not finite in the weights, or in what is kept of them. Set by any of its threads,
    /// and never taken back.
    /// </summary>
    public bool IsDamaged { get; private set; }

    /// <summary>Takes in the check of a run of elements: a sum of their multiples by 0, which is NaN if one is not finite, else 0.</summary>
    public void Check(float sumOfZeros)
    {
        if (sumOfZeros != 0)
            IsDamaged = true;
    }
}
