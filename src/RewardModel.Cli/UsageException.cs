namespace RewardModel.Cli;

/// <summary>Options that don't go together, or can't be what they are.</summary>
internal sealed class UsageException(string message) : Exception(message);
