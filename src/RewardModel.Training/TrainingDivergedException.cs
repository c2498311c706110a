using RewardModel.Scoring;

namespace RewardModel.Training;

/// <summary>A loss, a gradient or a reward is infinite or not a number. The message says of when the weights are.</summary>
public sealed class TrainingDivergedException : Exception
{
    internal TrainingDivergedException(int step, string what, string weights, IEnumerable<string> lists)
        : base($"Step {step}: {what}. {weights} Its lists: {string.Join(", ", lists)}. "
            + "Inspect those lists, lower the learning rate, or set a smaller maximum gradient norm.") => Step = step;

    /// <summary>An update left numbers that are not finite.</summary>
    /// <param name="step">The update's.</param>
    /// <param name="names">Of the weights, and of what the optimiser keeps of them.</param>
    /// <param name="lists">Those of the step, or of the next one, where ranks find out together.</param>
    internal static TrainingDivergedException OfWeights(int step, IReadOnlyCollection<string> names, IEnumerable<string> lists) => new(
        step, $"the weights, or what the optimiser keeps of them, are not finite after this step: {WeightLoading.NamesText(names)}",
        "Nothing is saved of them: the newest saved state is from before it.", lists);

    /// <summary>The step, counted from 1.</summary>
    public int Step { get; }
}
