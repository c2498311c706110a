namespace RewardModel.Training;

/// <summary>A loss, a gradient or a reward is infinite or not a number. The message says of when the weights are.</summary>
public sealed class TrainingDivergedException : Exception
{
    internal TrainingDivergedException(int step, string what, string weights, IEnumerable<string> lists)
        : base($"Step {step}: {what}. {weights} Its lists: {string.Join(", ", lists)}. "
            + "Inspect those lists, lower the learning rate, or set a smaller maximum gradient norm.") => Step = step;

    /// <summary>The step, counted from 1.</summary>
    public int Step { get; }
}
