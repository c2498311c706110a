namespace RewardModel.Training;

/// <summary>Options are out of range or don't go together: all reasons are listed.</summary>
public sealed class OptionsException(string message) : ArgumentException(message);
