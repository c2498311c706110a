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

    /// <summary>
    /// Warm-up, stable, decay (Hu et al., arXiv 2404.06395): constant at the peak, and a cooldown to the final rate in the last steps. The
    /// cooldown goes by 1 - sqrt, which Hägele et al. (arXiv 2405.18392) found better than a straight line.
    /// </summary>
    Wsd,
}

/// <summary>The learning rate of each optimiser step, with the steps counted as transformers' schedulers count them.</summary>
/// <param name="Kind">The shape after the warm-up.</param>
/// <param name="PeakRate">The highest rate.</param>
/// <param name="WarmupSteps">Steps over which the rate rises in a straight line from 0; the very first step then has rate 0.</param>
/// <param name="TotalSteps">Steps of the whole run.</param>
/// <param name="FinalRatio">The rate that all but constant go down to, as a share of the peak. Has no effect on constant.</param>
/// <param name="CooldownSteps">The last steps, over which wsd goes down. Has no effect on the others.</param>
internal sealed record LearningRateSchedule(
    ScheduleKind Kind, double PeakRate, int WarmupSteps, int TotalSteps, double FinalRatio = 0, int CooldownSteps = 0)
{
    /// <summary>The rate of a step, counted from 0.</summary>
    public double At(int step)
    {
        if (step < WarmupSteps)
            return PeakRate * step / WarmupSteps;
        var share = Kind switch
        {
            ScheduleKind.Cosine => 0.5 * (1 + Math.Cos(Math.PI * Progress(step, WarmupSteps))),
            ScheduleKind.Linear => 1 - Progress(step, WarmupSteps),
            ScheduleKind.Constant => 1,
            ScheduleKind.Wsd => 1 - Math.Sqrt(Progress(step, TotalSteps - CooldownSteps)),
            _ => throw new InvalidOperationException(
                $"The schedule {Kind} is not known; expected one of: {string.Join(", ", Enum.GetNames<ScheduleKind>())}."),
        };
        return PeakRate * (FinalRatio + (1 - FinalRatio) * share);
    }

    /// <summary>The share of the steps from a first one to the run's end that lie before a step.</summary>
    private double Progress(int step, int first) => Math.Clamp((step - first) / (double)Math.Max(1, TotalSteps - first), 0, 1);
}
