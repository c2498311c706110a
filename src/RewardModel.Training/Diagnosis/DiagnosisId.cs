namespace RewardModel.Training.Diagnosis;

/// <summary>The names of diagnoses, which don't change from version to version.</summary>
internal static class DiagnosisId
{
    public const string Diverged = "diverged";
    public const string RewardsEqual = "rewards-equal";
    public const string AccuracyBelowChance = "accuracy-below-chance";
    public const string LossStuck = "loss-stuck";
    public const string InitialWeights = "initial-weights";
    public const string AccuracyNearChance = "accuracy-near-chance";
    public const string Leak = "leak";
    public const string LearningRateTooHigh = "learning-rate-too-high";
    public const string LearningRateTooLow = "learning-rate-too-low";
    public const string Overfitting = "overfitting";
    public const string RewardsGrow = "rewards-grow";
    public const string IntervalWiderThanDifference = "interval-wider-than-difference";
    public const string WorseThanBaseline = "worse-than-baseline";
    public const string LengthBias = "length-bias";
    public const string Truncation = "truncation";
    public const string IdenticalAnswers = "identical-answers";
    public const string HeadReadsPadding = "head-reads-padding";
    public const string SmallTestSet = "small-test-set";

    /// <summary>Of diagnoses that are equally bad, the first ones explain the others.</summary>
    public static IReadOnlyList<string> All { get; } =
    [
        Diverged, RewardsEqual, AccuracyBelowChance, LossStuck, InitialWeights, AccuracyNearChance, Leak, LearningRateTooHigh,
        LearningRateTooLow, Overfitting, RewardsGrow, WorseThanBaseline, IntervalWiderThanDifference, LengthBias, Truncation,
        IdenticalAnswers, HeadReadsPadding, SmallTestSet,
    ];
}
