namespace RewardModel.Training.Checks;

/// <summary>What the held-out lists have in common with those that are trained on.</summary>
public sealed record DataSplitReport
{
    /// <summary>Lists to train on.</summary>
    public required int TrainListCount { get; init; }

    /// <summary>Lists to evaluate on.</summary>
    public required int HeldOutListCount { get; init; }

    /// <summary>
    /// Held-out lists whose prompt is trained on too. Where all lists have the same prompt, those whose answers are, here and below.
    /// </summary>
    public required DataCount Leak { get; init; }

    /// <summary>
    /// Further ones, whose prompt is the same as one that is trained on but for white space and case; null where it was not looked for.
    /// </summary>
    public required DataCount? LeakButForSpaceAndCase { get; init; }

    /// <summary>
    /// All held-out lists whose prompt is nearly the same as one that is trained on, without being it; null where it was not looked for.
    /// </summary>
    public required DataCount? NearLeak { get; init; }
}
