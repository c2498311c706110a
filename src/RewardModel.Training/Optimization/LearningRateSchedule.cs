namespace RewardModel.Training.Optimization;

/// <summary>The shape of the learning-rate schedule after the warm-up.</summary>
public enum ScheduleKind
{
    /// <summary>Half a cosine, from the peak to the final rate.</summary>
    Cosine,

    /// <summary>A straight line from the peak to the final rate.</summary>
    Linear,

    /// <summary>Constant at the peak.</summary>
    Constant,
}

/// <summary>The learning rate of each optimiser step, with the steps counted as transformers' schedulers count them.</summary>
/// <param name="Kind">The shape after the warm-up.</param>
/// <param name="PeakRate">The highest rate.</param>
/// <param name="WarmupSteps">Steps over which the rate rises in a straight line from 0; the very first step then has rate 0.</param>
/// <param name="TotalSteps">Steps of the whole run.</param>
/// <param name="FinalRatio">The rate that cosine and linear go down to, as a share of the peak. Has no effect on constant.</param>
internal sealed record LearningRateSchedule(ScheduleKind Kind, double PeakRate, int WarmupSteps, int TotalSteps, double FinalRatio = 0)
{
    /// <summary>The rate of a step, counted from 0.</summary>
    public double At(int step)
    {
        if (step < WarmupSteps)
            return PeakRate * step / WarmupSteps;
        var progress = Math.Min(1, (step - WarmupSteps) / (double)Math.Max(1, TotalSteps - WarmupSteps));
        var share = Kind switch
        {
            ScheduleKind.Cosine => 0.5 * (1 + Math.Cos(Math.PI * progress)),
            ScheduleKind.Linear => 1 - progress,
            ScheduleKind.Constant => 1,
            _ => throw new InvalidOperationException(
                $"The schedule {Kind} is not known; expected one of: {string.Join(", ", Enum.GetNames<ScheduleKind>())}."),
        };
        return PeakRate * (FinalRatio + (1 - FinalRatio) * share);
    }
}
