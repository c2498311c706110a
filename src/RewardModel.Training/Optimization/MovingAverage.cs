using TorchSharp.Modules;
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
    private readonly (string Name, Parameter Parameter, Tensor Average)[] slots;

    /// <param name="parameters">
    /// Names, which the average is saved under, and a model's trained parameters; until the first step their average is what they are now.
    /// </param>
    /// <param name="decay">From above 0 to below 1: the more, the longer weights count.</param>
    public MovingAverage(IEnumerable<(string Name, Parameter Parameter)> parameters, double decay)
    {
        using var _ = no_grad();
        this.decay = decay;
        slots = [.. parameters.Select(
            pair => (pair.Name, pair.Parameter, pair.Parameter.clone().DetachFromDisposeScope()))];
    }

    /// <summary>Takes in the weights of a step.</summary>
    /// <param name="stepCount">Steps taken, this one included.</param>
    public void Update(int stepCount)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var rate = (1 - decay) / (1 - Math.Pow(decay, stepCount));
        foreach (var (_, parameter, average) in slots)
            // As a sum of two products it would be off by the rounding of both factors, a thousand times that for a decay of 0.999.
            average.lerp_(parameter, full([], rate, dtype: float32, device: average.device));
    }

    /// <summary>The average under the parameters' names: its own tensors, not copies.</summary>
    public IEnumerable<(string Name, Tensor Tensor)> State() => slots.Select(slot => (slot.Name, slot.Average));

    /// <summary>Sets the model to the average.</summary>
    public void CopyToModel()
    {
        using var _ = no_grad();
        foreach (var (_, parameter, average) in slots)
            parameter.copy_(average);
    }

    /// <summary>Sets the model to the average until the result is disposed of, which gives it its own weights again, to the bit.</summary>
    public IDisposable InModel()
    {
        Exchange();
        return new Exchanged(this);
    }

    /// <summary>Releases the average; the parameters are the model's.</summary>
    public void Dispose()
    {
        foreach (var slot in slots)
            slot.Average.Dispose();
    }

    /// <summary>One tensor at a time: no third copy of all weights.</summary>
    private void Exchange()
    {
        using var _ = no_grad();
        foreach (var (_, parameter, average) in slots)
        {
            using var weights = parameter.clone();
            parameter.copy_(average);
            average.copy_(weights);
        }
    }

    private sealed class Exchanged(MovingAverage average) : IDisposable
    {
        public void Dispose() => average.Exchange();
    }
}
