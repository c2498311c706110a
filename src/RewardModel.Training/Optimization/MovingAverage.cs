using RewardModel.Checkpoints;
using static TorchSharp.torch;

namespace RewardModel.Training.Optimization;

/// <summary>
/// The exponential moving average of a run's trained weights (Polyak and Juditsky, SIAM Journal on Control and Optimization 30, 1992), in
/// float32 where the weights lie. After step t it is the mean of the weights after steps 1 to t, those of step i weighted in proportion to
/// decay^(t - i). The weights from before the first step have no part in it, which is Adam's correction of the bias towards the start (arXiv
/// 1412.6980, section 3) as a rate: average += (1 - decay) / (1 - decay^t) (weights - average).
/// </summary>
internal sealed class MovingAverage : IDisposable
{
    private readonly double decay;
    private readonly (WeightPart Part, Tensor Average)[] slots;

    /// <param name="parameters">
    /// A model's trained parameters, or this rank's parts of them; until the first step their average is what they are now.
    /// </param>
    /// <param name="decay">From above 0 to below 1: the more, the longer weights count.</param>
    public MovingAverage(IEnumerable<WeightPart> parameters, double decay)
    {
        using var _ = no_grad();
        this.decay = decay;
        slots = [.. parameters.Select(part => (part, part.Parameter.clone().DetachFromDisposeScope()))];
    }

    /// <summary>Takes in the weights of a step.</summary>
    /// <param name="stepCount">Steps taken, this one included.</param>
    public void Update(int stepCount)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var rate = (1 - decay) / (1 - Math.Pow(decay, stepCount));
        foreach (var (part, average) in slots)
            // As a sum of two products it would be off by the rounding of both factors, a thousand times that for a decay of 0.999.
            average.lerp_(part.Parameter, full([], rate, dtype: float32, device: average.device));
    }

    /// <summary>The average under the parameters' names: its own tensors, not copies.</summary>
    public IEnumerable<TensorPart> State() => slots.Select(slot => slot.Part.Beside(slot.Part.Name, slot.Average));

    /// <summary>Sets the parameters to the average.</summary>
    public void CopyToParameters()
    {
        using var _ = no_grad();
        foreach (var (part, average) in slots)
            part.Parameter.copy_(average);
    }

    /// <summary>Exchanges the parameters and the average; once more, and each has its own numbers again, to the bit.</summary>
    public void Exchange()
    {
        // One tensor at a time: no third copy of all weights.
        using var _ = no_grad();
        foreach (var (part, average) in slots)
        {
            using var weights = part.Parameter.clone();
            part.Parameter.copy_(average);
            average.copy_(weights);
        }
    }

    /// <summary>Releases the average; the parameters are the model's.</summary>
    public void Dispose()
    {
        foreach (var slot in slots)
            slot.Average.Dispose();
    }
}
