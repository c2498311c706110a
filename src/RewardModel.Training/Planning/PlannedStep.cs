namespace RewardModel.Training.Planning;

/// <summary>One way of doing a step, its memory and its time.</summary>
/// <param name="Settings">How it is done.</param>
/// <param name="Memory">Of a rank.</param>
/// <param name="Time">Of the step.</param>
/// <param name="Fits">Whether a rank's memory is in its GPU's.</param>
internal sealed record PlannedStep(StepSettings Settings, RankMemory Memory, StepTime Time, bool Fits);
